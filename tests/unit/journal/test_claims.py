"""Large claims: their names are as durable as their bytes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock.system_clock import SystemClock
from hub.core.errors import JournalUnavailable
from hub.core.ports import BytesBody, FileBody
from hub.journal.commit.claims import INLINE, ClaimStore
from hub.journal.journal import Journal

LARGE = b"x" * (INLINE + 1)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """The folders and files that were synced."""
    seen: set[Path] = set()
    sync = os.fsync

    def fsync(handle: int) -> None:
        seen.add(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_every_folder_on_the_way_is_synced(tmp_path: Path, synced: set[Path]) -> None:
    store = ClaimStore(tmp_path / "var" / "claims")
    target = store.path(store.keep_stream(BytesBody(LARGE)).digest)
    assert target.read_bytes() == LARGE
    assert {tmp_path, tmp_path / "var", tmp_path / "var/claims", target.parent.parent, target.parent} <= synced


def test_a_claim_that_is_there_already_is_synced_too(tmp_path: Path, synced: set[Path]) -> None:
    store = ClaimStore(tmp_path / "claims")
    first = store.keep_stream(BytesBody(LARGE))
    synced.clear()
    assert store.keep_stream(BytesBody(LARGE)) == first
    target = store.path(first.digest)
    assert {tmp_path, tmp_path / "claims", target.parent.parent, target.parent} <= synced
    assert list((tmp_path / "claims").glob(".new-*")) == []


def test_a_folder_that_cannot_be_written_is_the_stores_fault_and_passes(tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.write_text("a file stands where the folder should")
    store = ClaimStore(folder)
    with pytest.raises(JournalUnavailable, match="claims can't be written to"):
        store.keep_stream(BytesBody(LARGE))
    assert store.trouble
    assert store.probe() == store.trouble
    folder.unlink()
    assert store.probe() == ""
    assert store.keep_stream(BytesBody(LARGE)).size == len(LARGE)


def test_a_body_that_cannot_be_read_is_not_the_stores_fault(tmp_path: Path) -> None:
    store = ClaimStore(tmp_path / "claims")
    (tmp_path / "body").write_bytes(LARGE)

    class Vanishing(FileBody):
        def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
            yield b"x"
            raise FileNotFoundError(2, "gone")

    with pytest.raises(FileNotFoundError):
        store.keep_stream(Vanishing(tmp_path / "body"))
    assert store.trouble == ""
    assert list((tmp_path / "claims").iterdir()) == []


def test_a_claim_that_cannot_be_read_is_the_stores_fault(tmp_path: Path) -> None:
    store = ClaimStore(tmp_path / "claims")
    kept = store.keep_stream(BytesBody(LARGE))
    body = store.open(kept.digest)
    assert body is not None
    store.path(kept.digest).unlink()
    with pytest.raises(JournalUnavailable, match="can't be read"):
        list(body.chunks())


def test_what_killed_processes_left_half_written_is_swept(tmp_path: Path) -> None:
    store = ClaimStore(tmp_path / "claims")
    kept = store.keep_stream(BytesBody(LARGE))
    old, new = tmp_path / "claims/.new-old", tmp_path / "claims/.new-new"
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert store.sweep(time.time()) == 1
    assert not old.exists()
    assert new.exists()
    assert store.path(kept.digest).exists()


async def test_keeping_waits_for_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.write_text("a file stands where the folder should")
    journal = Journal(str(tmp_path / "hub.db"), folder, SystemClock())
    await journal.open()
    try:
        keeping = asyncio.create_task(journal.keep(LARGE))
        async with asyncio.timeout(30):
            while journal.available:
                await asyncio.sleep(0.01)
            with pytest.raises(JournalUnavailable):
                await journal.ping()
            assert not keeping.done()
            folder.unlink()
            assert (await keeping).size == len(LARGE)
        assert journal.available
    finally:
        await journal.close()
