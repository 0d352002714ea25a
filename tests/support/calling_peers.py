"""The far ends that come to the hub, and try again until they hear that it was taken."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import Any

import aiohttp
import paramiko

from hub.core.ports import Source
from tests.support.drop_box import Client
from tests.support.ports import free_ports
from tests.support.soap_orders import ORDERS, write_contract
from tests.support.source_peer import Seat, SourcePeer

KEY, PASSWORD = "acme-key-0123456789", "open sesame 1"
AGAIN = 0.1
"""Seconds before it tries again."""


class CallingPeer(SourcePeer):
    """`send` raises unless it was told that it was taken."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        (self.port,) = free_ports(1)
        self._sending: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def send(self) -> None:
        """Raises OSError, EOFError, SSHException or ClientError."""

    async def offer(self) -> None:
        self._sending.add(asyncio.create_task(self._until_taken()))

    async def _until_taken(self) -> None:
        while True:
            with suppress(OSError, EOFError, paramiko.SSHException, aiohttp.ClientError):
                await self.send()
                return
            await asyncio.sleep(AGAIN)

    async def acknowledged(self) -> bool:
        return all(task.done() for task in self._sending)

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await super().close()


class DropBoxPeer(CallingPeer):
    """Who drops into our own SFTP server; when the handle is closed the file is ours, and kept until it is taken."""

    partner = "ACME"

    def source(self) -> Source:
        accounts = {"acme": {"partner": "ACME", "password": PASSWORD}}
        return self.built("sftp_server", {"listen": f"127.0.0.1:{self.port}", "accounts": accounts})

    async def send(self) -> None:
        async with Client(self.port, password=PASSWORD) as client:
            await client.put("/in/1.json", self.body)

    async def acknowledged(self) -> bool:
        kept = self.seat.folder / "var/dropbox/.taken/acme"
        return await super().acknowledged() and not list(kept.iterdir())

    async def goes(self) -> None:
        async with Client(self.port, password=PASSWORD) as client:
            file = await client.do("open", "/in/1.json", "wb")
            await asyncio.to_thread(file.write, self.body[:5])
            await asyncio.to_thread(file.flush)
            client.transport.sock.close()


class HttpPeer(CallingPeer):
    """A shop that posts: anything but 202 means that it is to send again."""

    name = ""
    path = "/orders/west"
    headers = {"Content-Type": "application/json", "X-Api-Key": KEY}
    partner = "ACME"

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self._web = self.endpoint("http", {"listen": f"127.0.0.1:{self.port}"})

    @property
    def facts(self) -> dict[str, Any]:
        return {"region": "west"}

    def source(self) -> Source:
        told = {"path": "/orders/{region}", "facts": {"region": "path.region"}, "auth": {"api_key": {"ACME": KEY}}}
        return self.built("http", {"endpoint": "peer", "patience": "5s", **told}, self._web)

    def request(self) -> bytes:
        return self.body

    async def send(self) -> None:
        async with aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{self.port}{self.path}"
            async with client.post(url, data=self.request(), headers=self.headers) as reply:
                reply.raise_for_status()

    async def goes(self) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"POST {self.path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(self.request())}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        writer.write("\r\n".join((*lines, "", "")).encode() + self.request()[:5])
        await writer.drain()
        writer.transport.abort()


class SoapPeer(HttpPeer):
    """An ERP that calls CreateOrder; what is taken is the payload in its canonical form."""

    path = "/soap"
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    partner = ""
    body = (
        f'<CreateOrder xmlns="{ORDERS}"><number>gr\u00fc\u00dfe</number><line><sku xmlns="urn:example:types">A</sku>'
        '<quantity xmlns="urn:example:types">1</quantity></line></CreateOrder>'
    ).encode()

    @property
    def facts(self) -> dict[str, Any]:
        return {"operation": "CreateOrder"}

    def source(self) -> Source:
        write_contract(self.seat.folder)
        told = {"path": "/soap", "wsdl": "orders.wsdl", "operations": ["CreateOrder"], "security": "none"}
        answer = {"reply": "accepted", "acceptance": "accepted.xml", "patience": "5s"}
        return self.built("soap", {"endpoint": "peer", **told, **answer}, self._web)

    def request(self) -> bytes:
        envelope = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
        return envelope.format(self.body.decode()).encode()
