"""The file adapter: what it takes, what it leaves, and that a name never becomes a path."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from adapters.file import FileDestination, FileDestinationOptions, FileSource, FileSourceOptions
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Arrival, Outgoing, Take, Taken
from tests.support.brokers import eventually


def outgoing(body: bytes = b"{}", **facts: str) -> Outgoing:
    return Outgoing(
        "id", "order@1", "key", body, "application/json", facts={"number": "1", "document": "order", **facts}
    )


def context(site: Path) -> Context:
    return Context(site=site, log=structlog.get_logger(), clock=SystemClock())


@asynccontextmanager
async def watching(site: Path, take: Take, **options: str) -> AsyncIterator[Path]:
    made = FileSourceOptions.model_validate({"folder": "in", "settle": "0s", "poll": "10ms", **options})
    (site / "in").mkdir(exist_ok=True)
    task = asyncio.create_task(FileSource("box", made, context(site)).run(take))
    try:
        yield site / "in"
    finally:
        task.cancel()
        await asyncio.wait({task})


class Takes:
    """An intake that remembers."""

    def __init__(self, answer: Callable[[Arrival], Taken] = lambda arrival: Taken(1)) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = answer

    async def __call__(self, arrival: Arrival) -> Taken:
        self.names.append(arrival.name)
        self.bodies.append(b"".join(arrival.body.chunks()))
        return self._answer(arrival)


async def there(path: Path) -> bool:
    return path.exists()


async def test_a_taken_file_is_done_and_an_unreadable_one_failed(tmp_path: Path) -> None:
    take = Takes(lambda arrival: Taken(0, 1, "no") if arrival.name == "bad" else Taken(1))
    async with watching(tmp_path, take) as folder:
        (folder / "good").write_bytes(b"1")
        (folder / "bad").write_bytes(b"2")
        await eventually(lambda: there(folder / "done/good"))
        await eventually(lambda: there(folder / "failed/bad"))
    assert not list((folder / ".hub-work").iterdir())


async def test_an_arrival_is_settled_once_its_file_was_put_away(tmp_path: Path) -> None:
    settled: list[bool] = []
    done = tmp_path / "in/done/a"

    async def settle() -> None:
        settled.append(done.exists())

    async def is_settled() -> bool:
        return bool(settled)

    async with watching(tmp_path, Takes(lambda arrival: Taken(1, settled=settle))) as folder:
        (folder / "a").write_bytes(b"1")
        await eventually(is_settled)
    assert settled == [True]


async def test_what_is_still_written_or_is_no_file_is_left_alone(tmp_path: Path) -> None:
    take, secret = Takes(), tmp_path / "secret"
    secret.write_text("secret")
    async with watching(tmp_path, take, match="*.edi") as folder:
        (folder / "a.edi.part").write_text("half")
        (folder / ".b.edi").write_text("hidden")
        (folder / "c.txt").write_text("other")
        (folder / "d.edi").mkdir()
        os.mkfifo(folder / "e.edi")
        (folder / "f.edi").symlink_to(secret)
        (folder / "z.edi").write_text("whole")
        await eventually(lambda: there(folder / "done/z.edi"))
    assert take.names == ["z.edi"]
    assert secret.read_text() == "secret"


async def test_a_growing_file_is_taken_when_it_has_settled(tmp_path: Path) -> None:
    take = Takes()
    async with watching(tmp_path, take, settle="150ms") as folder:
        with (folder / "slow").open("wb", buffering=0) as stream:
            for _ in range(5):
                stream.write(b"x" * 10)
                await asyncio.sleep(0.05)
        await eventually(lambda: there(folder / "done/slow"))
    assert take.bodies == [b"x" * 50]


async def test_names_that_are_taken_already_are_kept_beside(tmp_path: Path) -> None:
    take = Takes()
    async with watching(tmp_path, take) as folder:
        for body in (b"1", b"2", b"3"):
            (folder / "same").write_bytes(body)
            await eventually(lambda: gone(folder / "same"))
        await eventually(lambda: there(folder / "done/same~3"))
    assert sorted(path.read_bytes() for path in (folder / "done").iterdir()) == [b"1", b"2", b"3"]
    assert take.names == ["same"] * 3


async def gone(path: Path) -> bool:
    return not path.exists()


async def test_what_a_crash_left_in_work_is_offered_again(tmp_path: Path) -> None:
    work = tmp_path / "in/.hub-work"
    work.mkdir(parents=True)
    (work / "left").write_bytes(b"x")
    take = Takes()
    async with watching(tmp_path, take) as folder:
        await eventually(lambda: there(folder / "done/left"))
    assert take.names == ["left"]


async def test_what_was_not_taken_stays_and_is_offered_again(tmp_path: Path) -> None:
    tries = 0

    def answer(arrival: Arrival) -> Taken:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise TransientError("away", "unreachable")
        return Taken(1)

    take = Takes(answer)
    async with watching(tmp_path, take) as folder:
        (folder / "a").write_bytes(b"x")
        await eventually(lambda: there(folder / "done/a"))
    assert take.names == ["a"] * 3


async def test_two_hubs_on_one_folder_never_take_the_same_file(tmp_path: Path) -> None:
    first, second = Takes(), Takes()
    async with watching(tmp_path, first) as folder, watching(tmp_path, second):
        for number in range(60):
            (folder / f"{number}").write_text(str(number))

        async def all_done() -> bool:
            return (folder / "done").exists() and len(list((folder / "done").iterdir())) == 60

        await eventually(all_done)
    assert sorted(first.names + second.names, key=int) == [str(number) for number in range(60)]


async def test_a_file_is_written_whole_and_once(tmp_path: Path) -> None:
    destination = FileDestination(FileDestinationOptions(folder="out", name="{number}.json"), context(tmp_path))
    await destination.send(outgoing(b"one"))
    assert (tmp_path / "out/1.json").read_bytes() == b"one"
    again = await destination.send(outgoing(b"one"))
    assert "already" in again.text
    with pytest.raises(RejectedError, match="other contents"):
        await destination.send(outgoing(b"two"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1.json"]


async def test_overwrite_replaces_when_told(tmp_path: Path) -> None:
    options = FileDestinationOptions(folder="out", name="{number}.json", overwrite=True)
    destination = FileDestination(options, context(tmp_path))
    await destination.send(outgoing(b"one"))
    await destination.send(outgoing(b"two"))
    assert (tmp_path / "out/1.json").read_bytes() == b"two"


@pytest.mark.parametrize(
    "number", ["../../etc/passwd", "..", "/etc/passwd", "a\x00b", "a\nb", "x" * 5000, "~root", "CON"]
)
async def test_a_partner_given_value_never_leads_out_of_the_folder(tmp_path: Path, number: str) -> None:
    destination = FileDestination(FileDestinationOptions(folder="out", name="{number}"), context(tmp_path))
    await destination.send(outgoing(b"x", number=number))
    (written,) = (tmp_path / "out").iterdir()
    assert written.resolve().parent == (tmp_path / "out").resolve()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


async def test_a_folder_that_is_no_folder_is_a_transient_failure(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    destination = FileDestination(FileDestinationOptions(folder="out", name="{number}"), context(tmp_path))
    with pytest.raises(TransientError):
        await destination.send(outgoing(b"x"))


async def test_a_name_whose_fact_is_missing_is_refused(tmp_path: Path) -> None:
    destination = FileDestination(FileDestinationOptions(folder="out", name="{partner}"), context(tmp_path))
    with pytest.raises(RejectedError, match="partner"):
        await destination.send(outgoing(b"x"))


@pytest.mark.parametrize(("option", "mode"), [({}, 0o600), ({"mode": "0640"}, 0o640), ({"mode": "644"}, 0o644)])
async def test_a_written_file_has_the_mode_of_the_option_whatever_the_umask(
    tmp_path: Path, option: dict[str, str], mode: int
) -> None:
    options = FileDestinationOptions.model_validate({"folder": "out", "name": "{number}.json", **option})
    await FileDestination(options, context(tmp_path)).send(
        Outgoing("id", "order@1", "key", b"{}", "application/json", facts={"number": "1"})
    )
    assert (tmp_path / "out/1.json").stat().st_mode & 0o777 == mode
