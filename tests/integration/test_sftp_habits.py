"""Servers of partners differ. What can't be known is never sent again blindly: a person decides."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from adapters.sftp import SftpDestination, SftpDestinationOptions
from adapters.sftp.destination import CLOSING
from adapters.sftp.endpoint import SftpEndpoint, SftpEndpointOptions
from hub.clock.system_clock import SystemClock
from hub.core.errors import RejectedError, TransientError, Unconfirmed
from hub.core.ports import Outgoing
from hub.journal.deliveries.decisions import Decisions
from tests.support.brokers import eventually
from tests.support.sftp import outgoing
from tests.support.sftp_habits import PASSWORD, Habits
from tests.support.site import SiteOnDisk, order
from tests.support.stories import status_becomes, story

LARGE = b"x" * ((1 << 20) + 100_000)


@pytest.fixture
async def habits(tmp_path: Path) -> AsyncIterator[Habits]:
    async with Habits(tmp_path / "partner").serving() as server:
        yield server


class Uploads:
    """A destination on one account."""

    def __init__(self, habits: Habits, account: str, **options: Any) -> None:
        login = {"host": "127.0.0.1", "port": habits.port, "user": account, "password": PASSWORD}
        asked = SftpEndpointOptions.model_validate({**login, "host_key": habits.fingerprint, "timeout": "5s"})
        self._endpoint = SftpEndpoint(account, asked, asked.login(Path()), structlog.get_logger(), SystemClock())
        wanted = {"endpoint": account, "folder": "in", "name": "{number}.edi", **options}
        made = SftpDestinationOptions.model_validate(wanted)
        self._destination = SftpDestination(made, self._endpoint, structlog.get_logger(), SystemClock())

    async def __call__(self, *sent: Outgoing) -> list[str | type]:
        """The receipts, or the classes of the errors."""
        found: list[str | type] = []
        for one in sent:
            try:
                found.append((await self._destination.send(one)).text)
            except (RejectedError, TransientError, Unconfirmed) as error:
                found.append(type(error) if not isinstance(error, TransientError) else TransientError)
        await self._endpoint.close()
        return found


@pytest.mark.parametrize(
    ("account", "options", "said", "stands", "taken"),
    [
        ("aclose", {}, Unconfirmed, [], 1),
        ("aclose", {"stat": False}, Unconfirmed, [], 1),
        ("aclose", {"rename": False, "takes_files": True}, "uploaded as 1.edi, the server has taken it", [], 1),
        ("aclose", {"rename": False, "stat": False}, "uploaded as 1.edi", [], 1),
        ("arename", {}, "uploaded as 1.edi", [], 1),
        ("nostat", {}, TransientError, [], 0),
        ("nostat", {"stat": False}, "uploaded as 1.edi", ["1.edi"], 0),
        ("norename", {"rename": False}, "uploaded as 1.edi", ["1.edi"], 0),
        ("nosize", {}, "uploaded as 1.edi", ["1.edi"], 0),
        ("nosize", {"overwrite": True}, "uploaded as 1.edi", ["1.edi"], 0),
        ("writeonly", {"read": False}, "uploaded as 1.edi", ["1.edi"], 0),
        ("fullclose", {"rename": False, "stat": False}, TransientError, ["1.edi"], 0),
        ("plain", {"rename": False, "takes_files": True}, "uploaded as 1.edi", ["1.edi"], 0),
    ],
)
async def test_each_habit_has_its_options(
    habits: Habits, account: str, options: dict[str, Any], said: object, stands: list[str], taken: int
) -> None:
    assert await Uploads(habits, account, **options)(outgoing(LARGE)) == [said]
    assert sorted(habits.stands(account)) == stands
    assert [body == LARGE for _, body in habits.taken] == [True] * taken
    assert account not in ("nostat",) or options == {} or "stat" not in habits.calls


async def test_a_second_attempt_never_writes_what_the_server_has_closed(habits: Habits) -> None:
    """The rename is refused again and again: the file goes over the line once."""
    assert await Uploads(habits, "norename")(outgoing(), outgoing(), outgoing()) == [TransientError] * 3
    assert habits.calls.count("write") == 1


async def test_what_another_process_was_closing_is_not_written_again(habits: Habits) -> None:
    """The mark of the journal is all that is left of an attempt whose process has died."""
    marked = replace(outgoing(b"ISA*1~"), mark=CLOSING)
    assert await Uploads(habits, "aclose")(marked) == [Unconfirmed]
    assert await Uploads(habits, "aclose", rename=False, takes_files=True)(marked) == [
        "uploaded as 1.edi, the server has taken it"
    ]
    for account, stands in (("plain", b"ISA*1~"), ("norename", b"ISA")):
        (habits.folder / account / "in").mkdir(parents=True)
        temporary = f".1.edi.{hashlib.sha256(marked.key.encode()).hexdigest()[:8]}.part"
        (habits.folder / account / "in" / temporary).write_bytes(stands)
    assert await Uploads(habits, "plain")(marked) == ["uploaded as 1.edi"]
    assert habits.calls.count("write") == 0
    assert await Uploads(habits, "norename")(marked, marked) == [TransientError] * 2  # too short: once more, and whole
    assert habits.calls.count("write") == 1


async def test_the_journal_knows_that_a_file_is_closed_before_the_server_does(habits: Habits) -> None:
    noted: list[tuple[str, int]] = []

    async def note(mark: str) -> None:
        noted.append((mark, len(habits.taken)))

    assert await Uploads(habits, "aclose")(replace(outgoing(), note=note)) == [Unconfirmed]
    assert noted == [("closing", 0)]
    noted.clear()
    assert await Uploads(habits, "fullclose")(replace(outgoing(), note=note)) == [TransientError]
    assert [mark for mark, _ in noted] == ["closing", ""]  # the server has said that it has nothing


async def test_without_the_mark_no_file_is_closed(habits: Habits) -> None:
    async def away(mark: str) -> None:
        raise TransientError("the journal is away", "busy")

    assert await Uploads(habits, "plain")(replace(outgoing(b"ISA*1~"), note=away)) == [TransientError]
    assert "1.edi" not in habits.stands("plain")


async def test_what_stands_there_already(habits: Habits) -> None:
    same, other = outgoing(b"ISA*1~"), outgoing(b"ISA*2~")
    for account in ("plain", "nosize"):
        said = await Uploads(habits, account)(same, same, other)
        assert said == ["uploaded as 1.edi", "1.edi stood there already, with the same contents", RejectedError]
    assert await Uploads(habits, "writeonly", read=False)(same, same) == ["uploaded as 1.edi", Unconfirmed]


async def test_an_upload_without_a_temporary_name_goes_on_where_it_was_cut_off(habits: Habits) -> None:
    (habits.folder / "norename/in").mkdir(parents=True)
    (habits.folder / "norename/in/1.edi").write_bytes(b"ISA")
    (habits.folder / "norename/in/2.edi").write_bytes(b"of others")
    two = replace(outgoing(b"ISA*2~ and more"), facts={"number": "2"})
    assert await Uploads(habits, "norename", rename=False)(outgoing(b"ISA*1~"), two) == [
        "uploaded as 1.edi",
        RejectedError,
    ]
    assert habits.stands("norename")["1.edi"] == b"ISA*1~"


def test_a_server_that_takes_files_gets_no_temporary_name() -> None:
    with pytest.raises(ValidationError, match="rename: false"):
        SftpDestinationOptions(endpoint="e", folder="in", takes_files=True)


async def test_what_may_have_been_delivered_is_held_for_its_owner_and_sent_once(
    habits: Habits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_PASSWORD", PASSWORD)
    site = SiteOnDisk(tmp_path)
    login = f"host: 127.0.0.1, port: {habits.port}, user: aclose, password: '${{PARTNER_PASSWORD}}'"
    site.write("config/endpoints.yaml", f'partner: {{sftp: {{{login}, host_key: "{habits.fingerprint}"}}}}\n')
    site.write(
        "config/destinations.yaml",
        'erp:\n  sftp: {endpoint: partner, folder: in, name: "{number}.json"}\n  retry: fast\n',
    )
    site.write(
        "config/partners/acme.yaml", 'partner: ACME\nowner: acme-desk\nids: [{qualifier: "01", id: "043645501"}]\n'
    )
    site.write("config/partners/bolt.yaml", 'partner: BOLT\nids: [{qualifier: "01", id: "043645502"}]\n')
    routes = (tmp_path / "routes/acme.yaml").read_text()
    site.write(
        "routes/acme.yaml", routes.replace("partner: ACME}", "partner: [ACME, BOLT]}\n    once: [partner, number]")
    )
    async with site.running() as hub:
        for number, partner in (("1", "ACME"), ("2", "BOLT"), ("3", "ACME")):
            site.drop(f"{number}.json", order(number, partner=partner))
            await status_becomes(hub, number, "held")
        assert len(habits.taken) == 3
        decisions = Decisions(hub.journal)
        holds = {hold.number: hold for hold in await decisions.holds(("open",))}
        assert {hold.name for hold in holds.values()} == {"unconfirmed"}
        assert (holds["1"].owner, holds["2"].owner) == ("acme-desk", "edi-desk")
        assert "it may have been delivered" in holds["1"].cause
        done = await asyncio.to_thread(site.cli, "hold", "delivered", holds["1"].id, "--reason", "Jo has it")
        assert done.stdout == "1 delivered\n"
        assert (await hub.replay.reject([holds["2"].id], "me", "too late"))["rejected"] == 1
        assert (await hub.replay.release([holds["3"].id], "me", "lost"))["released"] == 1
        confirmed = await story(hub, "1")
        assert (confirmed.effects[0].status, confirmed.once[0].status) == ("delivered", "done")
        assert "Jo has it" in confirmed.effects[0].text

        async def again() -> bool:
            return len(habits.taken) == 4

        await eventually(again)
        assert habits.taken[3] == habits.taken[2]  # the same name, the same bytes
        assert (await story(hub, "3")).effects[0].generation == 1

        async def held_again() -> bool:
            return [hold.number for hold in await decisions.holds(("open",))] == ["3"]

        await eventually(held_again)  # unconfirmed once more: a hold of its own, which a person can end
        (second,) = await decisions.holds(("open",))
        assert second.id != holds["3"].id
        assert (await hub.replay.reject([second.id], "me", "enough"))["rejected"] == 1
        assert (await decisions.holds((), (holds["1"].id,)))[0].status == "delivered"
