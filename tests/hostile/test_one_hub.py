"""One hub that runs, all its doors, and everything that a stranger or a partner may send: the others are served all the
while."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.erp import Erp
from tests.support.ports import free_ports
from tests.support.site import HubProcess, SiteOnDisk, order
from tests.support.web import ACME_KEY, BOLT_KEY, WebSite

HEAD = b"POST /orders/north HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
RAW = {
    "malformed": [
        b"\x00" * 4096,
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        os.urandom(4096),
        b"SSH-2.0-x\r\n" + b"\xff" * 64,
    ],
    "truncated": [HEAD, HEAD + b"Content-Length: 100\r\n\r\n{", b"GET /metr", b"SSH-2.0-x\r\n\x00\x00\x80\x00\x06"],
    "huge": [
        b"GET /" + b"a" * 1_000_000,
        HEAD + b"X: " + b"b" * 200_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 999999999999\r\n\r\n" + b"x" * 500_000,
        b"SSH-2.0-" + b"x" * 500_000,
    ],
    "hostile": [
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /docs%0d%0aX: y HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    "repeated": [b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n" * 500, HEAD + b"Content-Length: 0\r\n\r\n" * 300],
}
BODIES = {
    "malformed": b'{"number": ',
    "deep": b"[" * 200_000,
    "nested": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "control characters": json.dumps({"number": "1\r\n\x1b[2J\u009b\u202e", "partner": "ACME", "lines": []}).encode(),
    "surrogate": b'{"number": "\\ud800", "partner": "ACME", "lines": []}',
    "of another": order("9", partner="BOLT"),
    "keys twice": b'{"number": "1", "number": "2", "partner": "ACME", "lines": []}',
    "long": json.dumps({"number": "1" * 300_000, "partner": "ACME", "lines": []}).encode(),
    "wide": b'{"number": "w", "partner": "ACME", "lines": [' + b"{}," * 200_000 + b"{}]}",
    "numbers": b'{"number": "n", "partner": "ACME", "total": 1e999999999, "lines": []}',
    "packed": gzip.compress(b"a" * 5_000_000),
    "nothing": b"",
}


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as running:
        yield running


@pytest.fixture
def web(tmp_path: Path, erp: Erp) -> WebSite:
    web = WebSite(SiteOnDisk(tmp_path, erp.url))
    (port,) = free_ports(1)
    web.site.environ["BOX"] = "correct horse battery"
    web.source(
        more=(
            f"  box:\n    sftp_server: {{listen: '127.0.0.1:{port}', accounts: {{acme: {{partner: ACME, password:"
            " '${BOX}'}}}\n    read: {json: order@1}\n"
        )
    )
    web.site.environ["BOX_PORT"] = str(port)
    return web


@pytest.fixture
def hub(web: WebSite) -> Iterator[HubProcess]:
    process = HubProcess(web.site)
    process.start()
    process.wait_ready()
    yield process
    process.kill()


class Others:
    """Another partner, and whoever asks how the hub is."""

    def __init__(self, hub: HubProcess, web: WebSite) -> None:
        self._hub, self._web = hub, web
        self._count = 0
        self.slowest = 0.0

    async def are_served(self, why: str) -> None:
        began = time.monotonic()
        status, _ = await asyncio.to_thread(self._hub.get, "/health/live")
        assert status == 200, why
        self._count += 1
        body = order(f"B-{self._count}", partner="BOLT")
        assert (await self._web.post(body, key=BOLT_KEY)).status == 202, why
        self.slowest = max(self.slowest, time.monotonic() - began)


async def sent(port: int, data: bytes) -> None:
    """From an address of its own; what comes back is left unread."""

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=5, source_address=("127.0.0.66", 0)) as made:
            made.settimeout(0.3)
            try:
                made.sendall(data)
                made.recv(100)
            except OSError:
                pass

    await asyncio.to_thread(send)


async def test_whatever_is_sent_to_the_doors_the_others_are_served(hub: HubProcess, web: WebSite) -> None:
    others = Others(hub, web)
    await others.are_served("before")
    console = int((hub.console or "").rpartition(":")[2])
    for kind, frames in RAW.items():
        ports = (web.port, console, int(web.site.environ["BOX_PORT"]))
        await asyncio.gather(*(sent(port, frame) for port in ports for frame in frames for _ in range(3)))
        await others.are_served(kind)
    for kind, body in BODIES.items():
        encoding: dict[str, Any] = {"Content_Encoding": "gzip"} if kind == "packed" else {}
        reply = await web.post(body, key=ACME_KEY, **encoding)
        assert 200 <= reply.status < 500, f"{kind}: {reply}"
        await others.are_served(kind)
    guesses = [await guess(web, f"guess-{number}") for number in range(12)]
    assert guesses == [401] * 10 + [429] * 2
    await others.are_served("guesses")
    assert others.slowest < 15
    assert "Traceback" not in hub.log.read_text(errors="replace")


async def guess(web: WebSite, key: str) -> int:
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.66", 0))
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.post(f"{web.url}/orders/north", data=b"{}", headers=headers) as reply,
    ):
        return reply.status
