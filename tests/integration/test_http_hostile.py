"""Clients that mean no good: slow, endless, too many, malformed. Each is bounded, and answered where it can be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.web import Takes, http_source

OPEN: dict[str, Any] = {"auth": "none"}
HEAD = b"POST /in HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"


class Raw:
    """A connection, byte by byte; `of`: the address that it comes from."""

    def __init__(self, url: str, of: str | None = None) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._of = (of, 0) if of is not None else None

    async def __aenter__(self) -> Raw:
        self.reader, self.writer = await asyncio.open_connection(*self._address, local_addr=self._of)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def rest(self) -> bytes:
        """All that comes until the end of the connection."""
        async with asyncio.timeout(15):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def answer(self) -> bytes:
        """The head of the next answer."""
        async with asyncio.timeout(15):
            return await self.reader.readuntil(b"\r\n\r\n")


async def status(url: str, data: bytes) -> bytes:
    async with Raw(url) as raw:
        await raw.send(data)
        return (await raw.answer()).split(b" ")[1]


async def test_a_head_that_comes_byte_by_byte_is_ended(tmp_path: Path, journal: Journal) -> None:
    async with http_source(tmp_path, journal, Takes(), OPEN, head_timeout="400ms") as url, Raw(url) as raw:
        begun = time.monotonic()
        for byte in HEAD[:12]:
            await raw.send(bytes([byte]))
            await asyncio.sleep(0.02)
        assert (await raw.rest()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 5


async def test_a_connection_that_says_nothing_and_one_that_says_nothing_more(tmp_path: Path, journal: Journal) -> None:
    async with http_source(tmp_path, journal, Takes(), OPEN, head_timeout="300ms") as url:
        async with Raw(url) as raw:
            assert (await raw.rest()).startswith(b"HTTP/1.1 408 ")
        async with Raw(url) as raw:
            await raw.send(HEAD + b"Content-Length: 2\r\n\r\n{}")
            assert b" 202 " in await raw.answer()
            await raw.send(b"POST /in HT")
            assert b"HTTP/1.1 408 " in await raw.rest()


async def test_a_body_that_comes_byte_by_byte_is_ended(tmp_path: Path, journal: Journal) -> None:
    async with http_source(tmp_path, journal, Takes(), OPEN, body_timeout="400ms") as url, Raw(url) as raw:
        await raw.send(HEAD + b"Content-Length: 1000\r\n\r\n")
        for _ in range(25):
            await raw.send(b" ")
            await asyncio.sleep(0.02)
        assert (await raw.answer()).startswith(b"HTTP/1.1 408 ")
    assert list((tmp_path / "spool").glob("*")) == []


async def test_a_body_without_end_is_ended(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    async with http_source(tmp_path, journal, takes, OPEN, largest="1MB") as url:
        assert await status(url, HEAD + b"Content-Length: 99999999999999999999\r\n\r\n") in (b"413", b"400")
        assert await status(url, HEAD + b"Content-Length: 2000000\r\n\r\n") == b"413"
        async with Raw(url) as raw:
            await raw.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(200):
                await raw.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            assert (await raw.answer()).startswith(b"HTTP/1.1 413 ")
    assert takes.arrivals == []
    assert list((tmp_path / "spool").glob("*")) == []


async def test_a_refused_sender_is_answered_before_its_body_is_read(tmp_path: Path, journal: Journal) -> None:
    auth = {"auth": {"api_key": {"ACME": "acme-key-0123456789"}}}
    async with http_source(tmp_path, journal, Takes(), auth) as url:
        assert await status(url, HEAD + b"Content-Length: 5000000\r\n\r\n") == b"401"
        assert await status(url, HEAD + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n") == b"401"


async def test_a_client_that_goes_in_the_middle_leaves_nothing(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    async with http_source(tmp_path, journal, takes, OPEN) as url:
        async with Raw(url) as raw:
            await raw.send(HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        assert await status(url, HEAD + b"Content-Length: 2\r\n\r\n{}") == b"202"
    assert len(takes.arrivals) == 1
    assert list((tmp_path / "spool").glob("*")) == []


async def test_too_many_connections_are_told_to_come_again(tmp_path: Path, journal: Journal) -> None:
    async with http_source(tmp_path, journal, Takes(), OPEN, connections=5) as url:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(5):
                raw = await stack.enter_async_context(Raw(url))
                await raw.send(HEAD)
            await asyncio.sleep(0.1)
            async with Raw(url) as one_more:
                answer = await one_more.rest()
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"Retry-After: 1" in answer
        await asyncio.sleep(0.2)
        assert await status(url, HEAD + b"Content-Length: 2\r\n\r\n{}") == b"202"


async def test_too_many_connections_of_one_address_leave_room_for_others(tmp_path: Path, journal: Journal) -> None:
    async with http_source(tmp_path, journal, Takes(), OPEN, connections_per_address=3) as url:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await (await stack.enter_async_context(Raw(url))).send(HEAD)
            async with Raw(url) as one_more:
                assert (await one_more.rest()).startswith(b"HTTP/1.1 503 ")
            async with Raw(url, "127.0.0.2") as other:
                await other.send(HEAD + b"Content-Length: 2\r\n\r\n{}")
                assert (await other.answer()).startswith(b"HTTP/1.1 202 ")

        async def room() -> bool:
            return await status(url, HEAD + b"Content-Length: 2\r\n\r\n{}") == b"202"

        await eventually(room)


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /in HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        HEAD + b"X-Evil: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /in HTTP/1.1\r\nHost: hub\r\nHost: other\r\nContent-Length: 0\r\n\r\n",
        b"POST /in\xff HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"POST /in%ff HTTP/1.1\r\nHost: hub\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_malformed_requests_are_refused(tmp_path: Path, journal: Journal, request_: bytes) -> None:
    takes = Takes()
    async with http_source(tmp_path, journal, takes, OPEN) as url, Raw(url) as raw:
        await raw.send(request_)
        answer = await raw.answer()
        assert answer.split(b" ")[1][:1] == b"4", answer
    assert takes.arrivals == []


async def test_values_of_headers_become_facts_without_control_characters(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    facts = {"facts": {"kind": "header.x-kind", "shop": "query.shop"}, "auth": "none"}
    async with http_source(tmp_path, journal, takes, facts) as url, Raw(url) as raw:
        head = HEAD.replace(b"/in", b"/in?shop=%E2%82%AC&x=1") + b"Content-Length: 2\r\n"
        await raw.send(head + b"X-Kind: a\tb \xe2\x82\xac " + b"y" * 2000 + b"\r\nX-Kind: second\r\n\r\n{}")
        assert b" 202 " in await raw.answer()
    assert takes.arrivals[0].facts["shop"] == "€"
    kind = takes.arrivals[0].facts["kind"]
    assert isinstance(kind, str)
    assert kind.startswith("a?b € yyy")
    assert len(kind) == 1000
