"""Taking files from a real OpenSSH server: each once, whole, put away, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.sftp import SftpSourceOptions
from hub.clock.system_clock import SystemClock
from hub.core.errors import TransientError
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.openssh import OpenSsh
from tests.support.proxy import TcpProxy
from tests.support.sftp import Partner, Takes


async def there(path: Path) -> bool:
    return path.exists()


def drop(folder: Path, name: str, body: bytes = b"ISA*00~") -> Path:
    """By a rename, as a careful partner does."""
    part = folder / f".{name}.tmp"
    part.write_bytes(body)
    return part.rename(folder / name)


@pytest.fixture
def partner(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> Partner:
    return Partner(openssh, tmp_path, journal)


async def test_a_taken_file_is_done_and_an_unreadable_one_failed(partner: Partner) -> None:
    settled: list[bool] = []

    async def settle() -> None:
        settled.append((folder / "done/good.edi").exists())

    async def is_settled() -> bool:
        return bool(settled)

    take = Takes(lambda arrival: Taken(0, 1, "no") if arrival.name == "bad.edi" else Taken(1, settled=settle))
    async with partner.polling(take) as folder:
        drop(folder, "good.edi", b"good")
        drop(folder, "bad.edi", b"bad")
        await eventually(lambda: there(folder / "done/good.edi"))
        await eventually(lambda: there(folder / "failed/bad.edi"))
        await eventually(is_settled)
    assert settled == [True]
    assert sorted(take.bodies) == [b"bad", b"good"]
    work = next(path for path in folder.iterdir() if path.name.startswith(".hub-work-"))
    assert not list(work.iterdir())


async def test_only_plain_files_of_the_pattern_are_taken(partner: Partner, tmp_path: Path) -> None:
    secret = tmp_path / "secret.edi"
    secret.write_text("secret")
    take = Takes()
    async with partner.polling(take, match=("*.edi", "*.x12")) as folder:
        (folder / "a.edi.part").write_text("half")
        (folder / ".b.edi").write_text("hidden")
        (folder / "c.txt").write_text("other")
        (folder / "d.edi").mkdir()
        os.mkfifo(folder / "e.edi")
        (folder / "f.edi").symlink_to(secret)
        (folder / "g\nh.edi").write_text("a name of two lines")
        (folder / "..\\i.edi").write_text("a name that leads elsewhere on some systems")
        drop(folder, "last.x12", b"yes")
        await eventually(lambda: there(folder / "done/last.x12"))
    assert take.names == ["last.x12"]
    assert secret.exists()


async def test_a_file_is_left_alone_until_it_has_settled(partner: Partner) -> None:
    take = Takes()
    async with partner.polling(take, settle="1s") as folder:
        growing = folder / "slow.edi"
        for _ in range(6):
            with growing.open("ab") as file:
                file.write(b"x" * 10)
            await asyncio.sleep(0.3)
            assert not take.names
        await eventually(lambda: there(folder / "done/slow.edi"))
    assert take.bodies == [b"x" * 60]


@pytest.mark.parametrize(("marker", "named"), [("{name}.done", "a.edi.done"), ("{stem}_go", "a_go")])
async def test_a_file_waits_for_its_marker_which_goes_with_it(partner: Partner, marker: str, named: str) -> None:
    take = Takes()
    async with partner.polling(take, marker=marker, match="*.edi") as folder:
        drop(folder, "a.edi")
        drop(folder, "b.edi")
        await asyncio.sleep(0.3)
        assert not take.names
        drop(folder, named, b"")
        await eventually(lambda: there(folder / "done/a.edi"))
        assert not (folder / named).exists()
        await asyncio.sleep(0.2)
    assert take.names == ["a.edi"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("name", ["a", "b", "c"]),
        ("oldest", ["c", "a", "b"]),
        ("newest", ["b", "a", "c"]),
        ("smallest", ["b", "c", "a"]),
    ],
)
async def test_the_order_of_several(partner: Partner, order: str, expected: list[str]) -> None:
    take = Takes()
    folder = partner.server.home / "out"
    folder.mkdir()
    for name, size, changed in (("a", 3, 200), ("b", 1, 300), ("c", 2, 100)):
        os.utime(drop(folder, name, b"x" * size), (changed, changed))
    async with partner.polling(take, order=order, at_once=1):
        await eventually(lambda: there(folder / "done" / expected[-1]))
    assert take.names == expected


async def test_a_file_that_was_not_taken_stays_and_comes_again(partner: Partner) -> None:
    tries = 0

    def moody(arrival: Arrival) -> Taken:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise TransientError("the journal is away", "unreachable")
        return Taken(1)

    take = Takes(moody)
    async with partner.polling(take) as folder:
        drop(folder, "a.edi", b"once")
        await eventually(lambda: there(folder / "done/a.edi"))
    assert take.bodies == [b"once"] * 3


async def test_what_a_crash_left_claimed_is_offered_again(partner: Partner) -> None:
    """Ended after the claim, and after the intake had taken it but before it was put away."""
    reached, take = asyncio.Event(), Takes()

    async def never_ends(arrival: Arrival) -> Taken:
        reached.set()
        await asyncio.Event().wait()
        return Taken(1)

    async with partner.polling(never_ends) as folder:
        drop(folder, "a.edi", b"one")
        await asyncio.wait_for(reached.wait(), 20)
    assert not (folder / "a.edi").exists()
    async with partner.polling(take):
        await eventually(lambda: there(folder / "done/a.edi"))
    assert take.bodies == [b"one"]
    assert take.names == ["a.edi"]


async def test_two_hubs_never_take_the_same_file(openssh: OpenSsh, tmp_path: Path) -> None:
    """Two hubs with a database each: nothing but the folder is common to them."""
    journals = [Journal(str(tmp_path / f"{n}.db"), tmp_path / f"claims{n}", SystemClock()) for n in range(2)]
    takes = [Takes(), Takes()]
    for each in journals:
        await each.open()
    partners = [Partner(openssh, tmp_path / str(n), each) for n, each in enumerate(journals)]
    async with partners[0].polling(takes[0], poll="10ms") as folder, partners[1].polling(takes[1], poll="10ms"):
        for n in range(60):
            drop(folder, f"{n:03}.edi", str(n).encode())
            await asyncio.sleep(0.01)

        async def all_done() -> bool:
            return (folder / "done").exists() and len(list((folder / "done").iterdir())) == 60

        await eventually(all_done)
    assert sorted(takes[0].names + takes[1].names) == [f"{n:03}.edi" for n in range(60)]
    assert takes[0].names
    assert takes[1].names
    for each in journals:
        await each.close()


async def test_a_name_that_was_done_before_gets_a_number(partner: Partner) -> None:
    take = Takes()
    async with partner.polling(take) as folder:
        for n, name in enumerate(("a.edi", "a.edi~2", "a.edi~3")):
            drop(folder, "a.edi", str(n).encode())
            await eventually(lambda name=name: there(folder / "done" / name))
    assert [(folder / "done" / name).read_text() for name in ("a.edi", "a.edi~2", "a.edi~3")] == ["0", "1", "2"]
    assert take.names == ["a.edi"] * 3


async def test_a_file_of_the_same_name_size_and_time_is_another_one(partner: Partner) -> None:
    """Dropped while the first can't be put away."""
    done = partner.server.home / "out/done"

    def spoil(arrival: Arrival) -> Taken:
        if done.exists():
            done.rmdir()
        return Taken(1)

    take = Takes(spoil)

    async def taken(number: int) -> bool:
        return len(take.bodies) >= number

    async with partner.polling(take) as folder:
        for number, body in enumerate((b"first", b"other"), 1):
            part = folder / "a.tmp"
            part.write_bytes(body)
            os.utime(part, (1_700_000_000, 1_700_000_000))
            part.rename(folder / "a.edi")
            await eventually(partial(taken, number))
            await asyncio.sleep(0.3)
    assert sorted(set(take.bodies)) == [b"first", b"other"]


async def test_deleted_after_it_was_taken(partner: Partner) -> None:
    take = Takes()
    async with partner.polling(take, after="delete") as folder:
        drop(folder, "a.edi")

        async def gone() -> bool:
            return bool(take.names) and not list(folder.glob("**/a.edi"))

        await eventually(gone)
    assert not (folder / "done").exists()


async def test_a_server_that_denies_every_change(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    """Read-only: files are taken where they stand, left there, and remembered over a restart."""
    openssh.stop()
    read_only = OpenSsh(openssh._sshd, tmp_path / "read-only")
    (read_only.home / "out").mkdir()
    for folder in ("done", "failed"):
        (read_only.home / "out" / folder).mkdir()
    read_only.options = "-R"
    read_only.start()
    try:
        partner = Partner(read_only, tmp_path, journal)
        take, again = Takes(), Takes()
        with capture_logs() as logs:
            task = asyncio.create_task(partner.source().run(take))
            with pytest.raises(TransientError, match="Permission denied"):
                await asyncio.wait_for(task, 20)
        assert not [entry for entry in logs if entry["log_level"] == "error"]
        async with partner.polling(take, claim="none", after="leave") as folder:
            drop(folder, "a.edi", b"a")

            async def taken() -> bool:
                return take.names == ["a.edi"]

            await eventually(taken)
            await asyncio.sleep(0.3)
        async with partner.polling(again, claim="none", after="leave") as folder:
            drop(folder, "b.edi", b"b")

            async def only_the_new_one() -> bool:
                return again.names == ["b.edi"]

            await eventually(only_the_new_one)
            await asyncio.sleep(0.3)
            drop(folder, "a.edi", b"another a")

            async def changed() -> bool:
                return again.names == ["b.edi", "a.edi"]

            await eventually(changed)
        assert take.names == ["a.edi"]
    finally:
        read_only.stop()


async def test_a_file_that_changes_while_it_is_in_work_is_offered_again(partner: Partner) -> None:
    folder = partner.server.home / "out"
    bodies: list[bytes] = []

    async def take(arrival: Arrival) -> Taken:
        bodies.append(b"".join(arrival.body.chunks()))
        if len(bodies) == 1:
            with next(folder.glob(".hub-work-*/a.edi")).open("ab") as file:
                file.write(b" more")
        return Taken(1)

    async with partner.polling(take):
        drop(folder, "a.edi", b"some")
        await eventually(lambda: there(folder / "done/a.edi"))
    assert bodies == [b"some", b"some more"]


async def test_a_file_above_the_limit_is_put_to_the_failed_ones_unread(partner: Partner) -> None:
    take = Takes()
    with capture_logs() as logs:
        async with partner.polling(take, largest=10) as folder:
            drop(folder, "huge.edi", b"x" * 11)
            drop(folder, "right.edi", b"x" * 10)
            await eventually(lambda: there(folder / "failed/huge.edi"))
            await eventually(lambda: there(folder / "done/right.edi"))
    assert take.names == ["right.edi"]
    assert [entry["file"] for entry in logs if entry["event"] == "file_too_large"] == ["huge.edi"]


async def test_a_large_file_goes_through_the_spool_and_leaves_nothing_there(partner: Partner, tmp_path: Path) -> None:
    body = os.urandom(9_000_001)
    take = Takes()
    left = tmp_path / "spool/sftp-inbox/left-by-a-crash"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    async with partner.polling(take) as folder:
        drop(folder, "big.edi", body)
        await eventually(lambda: there(folder / "done/big.edi"))
    assert take.bodies == [body]
    assert not list((tmp_path / "spool").rglob("*.*"))
    assert not left.exists()


async def test_a_line_that_breaks_in_the_middle_of_a_file(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    proxy = TcpProxy("127.0.0.1", openssh.port)
    await proxy.start()
    partner = Partner(openssh, tmp_path, journal, port=proxy.port, timeout="1s")
    body, take = os.urandom(20_000_000), Takes()

    async def poll_again_and_again() -> None:
        """As the hub does with a source that fails."""
        while True:
            try:
                await partner.source().run(take)
            except TransientError as error:
                await asyncio.sleep(min(error.retry_after or 0.1, 1.0))

    (openssh.home / "out").mkdir()
    task = asyncio.create_task(poll_again_and_again())
    drop(openssh.home / "out", "big.edi", body)
    for _ in range(3):
        await asyncio.sleep(0.15)
        proxy.cut()
    await eventually(lambda: there(openssh.home / "out/done/big.edi"))
    task.cancel()
    await asyncio.wait({task})
    assert set(take.bodies) == {body}
    await partner.endpoint.close()
    await proxy.close()


async def test_a_missing_folder_is_said(partner: Partner) -> None:
    with pytest.raises(TransientError, match=r"can't make the folder .*nowhere"):
        await asyncio.wait_for(partner.source(folder="nowhere/deep").run(Takes()), 20)


async def test_outside_its_hours_nobody_looks(partner: Partner) -> None:
    take = Takes()
    from datetime import UTC, datetime, timedelta

    begin = (datetime.now(UTC) + timedelta(hours=3)).strftime("%H:%M")
    end = (datetime.now(UTC) + timedelta(hours=4)).strftime("%H:%M")
    async with partner.polling(take, during={"zone": "UTC", "from": begin, "to": end}) as folder:
        drop(folder, "a.edi")
        await asyncio.sleep(0.5)
    assert not take.names
    assert (folder / "a.edi").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"marker": "{name}"},
        {"marker": "x.done"},
        {"marker": "../{name}"},
        {"after": "leave"},
        {"after": "delete", "done": "x"},
        {"order": "random"},
        {"during": {"zone": "Mars/Olympus"}},
        {"during": {"from": "25:00"}},
        {"at_once": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    right = {"endpoint": "e", "folder": "/out"}
    SftpSourceOptions.model_validate(right)
    with pytest.raises(ValidationError):
        SftpSourceOptions.model_validate({**right, **wrong})
