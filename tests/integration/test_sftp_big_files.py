"""Big files over SFTP, both ways: whole, in memory that doesn't grow with them, and said how far they are."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import adapters.sftp.progress
from adapters.sftp.connection import Connection
from adapters.sftp.session import Declined
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.memory import Growth
from tests.support.openssh import OpenSsh
from tests.support.sftp import Partner, outgoing

MB = 1 << 20
SIZE = 64 * MB + 1
MOST = 40 * MB


@pytest.fixture
def partner(openssh: OpenSsh, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Partner:
    """64 MB go over in less time than lies between two lines of the log: here they are said sooner."""
    monkeypatch.setattr(adapters.sftp.progress, "EVERY", 0.05)
    for folder in ("in", "out"):
        (openssh.home / folder).mkdir()
    return Partner(openssh, tmp_path, journal)


def write(path: Path, size: int) -> str:
    """Bytes that nothing compresses; gives their digest."""
    made = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size, MB):
            piece = os.urandom(min(MB, size - start))
            made.update(piece)
            file.write(piece)
    return made.hexdigest()


def digest_of(chunks: Iterator[bytes]) -> str:
    made = hashlib.sha256()
    for chunk in chunks:
        made.update(chunk)
    return made.hexdigest()


def assert_said(logs: list[Any], event: str, file: str) -> None:
    said = [line for line in logs if line["event"] == event]
    done = [line["bytes"] for line in said]
    assert done, f"no line {event}"
    assert done == sorted(set(done))
    assert {(line["file"], line["of"]) for line in said} == {(file, SIZE)}
    assert all(isinstance(line["seconds_left"], int) for line in said)


async def test_a_download_is_whole_in_flat_memory_and_says_how_far_it_is(partner: Partner) -> None:
    found: list[tuple[int, str]] = []

    async def take(arrival: Arrival) -> Taken:
        found.append((arrival.body.size, await asyncio.to_thread(digest_of, arrival.body.chunks())))
        return Taken(1)

    async def count(number: int) -> None:
        async def reached() -> bool:
            return len(found) >= number

        await eventually(reached)

    async with partner.polling(take, match="*.edi") as folder:
        write(folder / "small.edi", 300_000)  # what is loaded and allocated once is there before the measurement
        await count(1)
        expected = write(folder / "big.tmp", SIZE)
        with capture_logs() as logs, Growth() as growth:
            (folder / "big.tmp").rename(folder / "big.edi")
            await count(2)
    assert found[1] == (SIZE, expected)
    assert growth.most < MOST
    assert_said(logs, "sftp_download", "big.edi")


async def test_an_upload_is_whole_in_flat_memory_and_says_how_far_it_is(partner: Partner) -> None:
    destination = partner.destination()
    await destination.send(outgoing(b"small", number="1"))
    body = os.urandom(SIZE)
    with capture_logs() as logs, Growth() as growth:
        await destination.send(outgoing(body, number="2"))
    placed = partner.server.home / "in/order_2.edi"
    assert placed.stat().st_size == SIZE
    assert hashlib.sha256(placed.read_bytes()).digest() == hashlib.sha256(body).digest()
    assert growth.most < MOST
    assert_said(logs, "sftp_upload", "order_2.edi")


def test_a_file_that_is_shorter_than_announced_is_never_whole(partner: Partner) -> None:
    write(partner.server.home / "out/big.edi", 3 * MB)
    connection = Connection(partner.endpoint.login)
    try:
        with pytest.raises(Declined, match=f"ended at byte {3 * MB}, {4 * MB} were announced"):
            for _ in connection.pieces("out/big.edi", 4 * MB):
                pass
    finally:
        connection.close()
