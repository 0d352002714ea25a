"""Large claims: their names are as durable as their bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.core.ports import BytesBody
from hub.journal.claims import INLINE, ClaimStore

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
