"""The file source in trouble: poison files, odd names, folders that can't be written, slow writers."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from adapters.file import FileSource, FileSourceOptions, moving
from adapters.file.moving import move
from adapters.inbox.file_names import with_mark, without_mark
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import JournalUnavailable, TransientError
from hub.core.ports import Arrival, BytesBody, FileBody, Take, Taken
from tests.support.brokers import eventually


@asynccontextmanager
async def watching(site: Path, take: Take, **options: str) -> AsyncIterator[Path]:
    made = FileSourceOptions.model_validate({"folder": "in", "settle": "0s", "poll": "10ms", **options})
    (site / "in").mkdir(exist_ok=True)
    source = FileSource("box", made, Context(site=site, log=structlog.get_logger(), clock=SystemClock()))
    task = asyncio.create_task(source.run(take))
    try:
        yield site / "in"
        assert not task.done(), "the source ended by itself"
    finally:
        task.cancel()
        await asyncio.wait({task})


async def true(check: Callable[[], bool]) -> bool:
    return check()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


async def becomes(check: Callable[[], bool]) -> None:
    await eventually(lambda: true(check))


class Takes:
    """An intake that remembers, and may do something with an arrival."""

    def __init__(self, deed: Callable[[Arrival], None] = lambda arrival: None) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        self.kinds: list[type] = []
        self._deed = deed

    async def __call__(self, arrival: Arrival) -> Taken:
        self.names.append(arrival.name)
        self.bodies.append(b"".join(arrival.body.chunks()))
        self.kinds.append(type(arrival.body))
        self._deed(arrival)
        return Taken(1)


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


@pytest.mark.parametrize("error", [ValueError("odd"), JournalUnavailable("away"), KeyError("x"), FileNotFoundError()])
async def test_a_poison_file_waits_and_its_neighbours_go_on(tmp_path: Path, logs: list[Any], error: Exception) -> None:
    def deed(arrival: Arrival) -> None:
        if arrival.name == "b":
            raise error

    take = Takes(deed)
    async with watching(tmp_path, take) as folder:
        for name in "abc":
            (folder / name).write_text(name)
        await becomes(lambda: take.names.count("b") >= 4 and {"a", "c"} <= set(names_in(folder / "done")))
        (folder / "d").write_text("d")
        await becomes(lambda: (folder / "done/d").exists())
    assert [path.name.partition("~")[0] for path in (folder / ".hub-work").iterdir()] == ["b"]
    told = [entry["again_in"] for entry in logs if entry["event"] == "file_not_taken" and entry["file"][0] == "b"]
    assert told[:4] == [0.01, 0.02, 0.04, 0.08]


async def test_names_that_are_no_utf_8_are_taken_and_shown_cleanly(tmp_path: Path) -> None:
    take = Takes()
    odd = os.fsdecode(b"\xff.json")
    async with watching(tmp_path, take) as folder:
        for name in ("good.json", odd, "line\nend"):
            (folder / name).write_text("{}")
        await becomes(lambda: set(names_in(folder / "done")) == {"good.json", odd, "line\nend"})
    assert sorted(take.names) == ["\\xff.json", "good.json", "line\nend"]


async def test_the_longest_name_is_taken(tmp_path: Path) -> None:
    take = Takes()
    async with watching(tmp_path, take) as folder:
        for name in ("x" * 255, "good"):
            (folder / name).write_text("{}")
        await becomes(lambda: len(names_in(folder / "done")) == 2)
    assert "good" in take.names


@pytest.mark.parametrize("size", [0, 10, 1 << 18])
async def test_a_small_file_is_one_snapshot_in_memory(tmp_path: Path, size: int) -> None:
    take = Takes()
    async with watching(tmp_path, take) as folder:
        (folder / "a").write_bytes(b"x" * size)
        await becomes(lambda: (folder / "done/a").exists())
    assert take.kinds == [BytesBody]
    assert take.bodies == [b"x" * size]


async def test_a_larger_file_is_handed_on_as_a_file(tmp_path: Path) -> None:
    take = Takes()
    async with watching(tmp_path, take) as folder:
        (folder / "part.tmp").write_bytes(b"x" * ((1 << 18) + 1))
        (folder / "part.tmp").rename(folder / "a")
        await becomes(lambda: (folder / "done/a").exists())
    assert take.kinds == [FileBody]


@pytest.mark.parametrize("size", [5, 1 << 19])
async def test_what_a_slow_writer_appends_after_the_claim_is_offered_too(
    tmp_path: Path, logs: list[Any], size: int
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/part.tmp").write_bytes(b"x" * size)
    with (tmp_path / "in/part.tmp").open("ab", buffering=0) as writer:
        (tmp_path / "in/part.tmp").rename(tmp_path / "in/slow")
        take = Takes(lambda arrival: writer.write(b"more") and None if len(take.names) == 1 else None)
        async with watching(tmp_path, take) as folder:
            await becomes(lambda: (folder / "done/slow").exists())
    assert take.bodies == [b"x" * size, b"x" * size + b"more"]
    assert (folder / "done/slow").read_bytes() == take.bodies[1]
    assert [entry["event"] for entry in logs] == ["file_changed"]


async def test_a_file_that_cannot_be_put_away_is_taken_once_and_moved_later(tmp_path: Path, logs: list[Any]) -> None:
    (tmp_path / "done").write_text("in the way")
    take = Takes()
    async with watching(tmp_path, take, done="done") as folder:
        (folder / "a").write_text("a")
        (folder / "b").write_text("b")
        await becomes(lambda: sum(entry["event"] == "file_not_put_away" for entry in logs) >= 6)
        (tmp_path / "done").unlink()
        await becomes(lambda: (tmp_path / "done").is_dir() and sorted(names_in(tmp_path / "done")) == ["a", "b"])
    assert sorted(take.names) == ["a", "b"]
    pauses = [entry["again_in"] for entry in logs if entry["file"].startswith("a~")]
    assert pauses == sorted(set(pauses))


async def test_a_read_only_done_folder_holds_no_file_back_from_the_intake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[Any]
) -> None:
    real, read_only = moving.rename, [True]

    def refusing(path: Path, target: Path) -> None:
        # As a read-only folder answers; permissions alone don't stop a test that runs as root.
        if read_only[0] and target.parent == tmp_path / "done":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(target))
        real(path, target)

    monkeypatch.setattr(moving, "rename", refusing)
    take = Takes()
    async with watching(tmp_path, take, done="done") as folder:
        (folder / "a").write_text("a")
        await becomes(lambda: sum(entry["event"] == "file_not_put_away" for entry in logs) >= 2)
        read_only[0] = False
        await becomes(lambda: (tmp_path / "done/a").exists())
    assert take.names == ["a"]
    assert (tmp_path / "done/a").read_text() == "a"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on another file system, or one to which renames are refused as if it were."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shared.stat().st_dev != tmp_path.stat().st_dev:
        with tempfile.TemporaryDirectory(dir=shared) as folder:
            yield Path(folder)
        return
    real, other = moving.rename, tmp_path / "other"
    other.mkdir()

    def refusing(path: Path, target: Path) -> None:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(path, target)

    monkeypatch.setattr(moving, "rename", refusing)
    yield other


async def test_a_done_folder_on_another_file_system(tmp_path: Path, elsewhere: Path) -> None:
    take = Takes()
    async with watching(tmp_path, take, done=str(elsewhere / "done")) as folder:
        for body in ("1", "2"):
            (folder / "same").write_text(body)
            await becomes(lambda body=body: len(take.names) == int(body) and not names_in(folder / ".hub-work"))  # type: ignore[misc]
    assert take.names == ["same"] * 2
    assert {path.name: path.read_text() for path in (elsewhere / "done").iterdir()} == {"same": "1", "same~2": "2"}


def test_a_move_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").rename(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "a", tmp_path / "done", "a")
    assert names_in(tmp_path / "done") == []


def test_a_move_never_replaces(tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    for body in ("1", "2", "3"):
        (tmp_path / "a").write_text(body)
        move(tmp_path / "a", tmp_path / "done", "a")
    assert [(tmp_path / "done" / name).read_text() for name in ("a", "a~2", "a~3")] == ["1", "2", "3"]


@pytest.mark.parametrize("name", ["a", "a~b", "x" * 255, "a~7"])
def test_marks_are_taken_off_again(name: str) -> None:
    marked = with_mark(name, 12345)
    assert len(os.fsencode(marked)) <= 255
    assert name.startswith(without_mark(marked))


def test_where_the_system_has_no_rename_without_replacing_the_name_is_reserved(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "there").write_text("there")
    with pytest.raises(FileExistsError):
        moving.reserve_and_rename(tmp_path / "new", tmp_path / "there")
    moving.reserve_and_rename(tmp_path / "new", tmp_path / "free")
    assert (tmp_path / "there").read_text() == "there"
    assert (tmp_path / "free").read_text() == "new"


async def test_a_folder_that_cant_be_watched_fails_the_source(tmp_path: Path) -> None:
    """The supervisor tells it in health and log, once for each of its growing pauses."""
    (tmp_path / "in").write_text("")
    options = FileSourceOptions.model_validate({"folder": "in", "settle": "0s", "poll": "10ms"})
    source = FileSource("box", options, Context(site=tmp_path, log=structlog.get_logger(), clock=SystemClock()))
    with pytest.raises(TransientError, match=r"in/.hub-work can't be used: Not a directory$"):
        await source.run(Takes())
