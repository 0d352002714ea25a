"""Commands and signals while the journal is away: none is lost, and none is carried out days later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.app.running_hub import RunningHub
from hub.cli.run import reload
from hub.core.errors import JournalUnavailable
from hub.journal.commands import Commands
from hub.runtime.recovery.command_desk import CommandDesk
from tests.support.brokers import eventually
from tests.support.proxy import TcpProxy
from tests.support.site import ROUTES, SiteOnDisk


async def test_a_command_during_which_the_journal_goes_away_is_carried_out_again(hub: RunningHub) -> None:
    asked: list[str] = []

    async def act(arguments: dict[str, Any], who: str) -> dict[str, Any]:
        asked.append(who)
        if len(asked) == 1:
            raise JournalUnavailable("gone")
        return {"times": len(asked)}

    next(task for task in hub._tasks if task.get_name() == "command-desk").cancel()
    commands = Commands(hub.journal)
    id = await commands.submit("count", {}, "ann")
    desk = asyncio.create_task(CommandDesk(hub.runtime, {"count": act}).run())

    async def done() -> bool:
        return await commands.state(id) == ("done", {"times": 2})

    try:
        await eventually(done)
    finally:
        desk.cancel()


async def test_a_long_command_keeps_no_other_waiting(hub: RunningHub) -> None:
    """A replay reads a large file again, or one that a reader spins over."""
    goes_on, ended = asyncio.Event(), list[str]()

    async def long(arguments: dict[str, Any], who: str) -> dict[str, Any]:
        await goes_on.wait()
        ended.append(who)
        return {}

    async def quick(arguments: dict[str, Any], who: str) -> dict[str, Any]:
        ended.append(who)
        return {}

    next(task for task in hub._tasks if task.get_name() == "command-desk").cancel()
    commands = Commands(hub.journal)
    ids = [await commands.submit("long", {}, "first"), await commands.submit("long", {}, "second")]
    ids.append(await commands.submit("quick", {}, "third"))
    desk = asyncio.create_task(CommandDesk(hub.runtime, {"long": long, "quick": quick}).run())

    async def states() -> list[str]:
        return [(await commands.state(id))[0] for id in ids]

    async def quick_is_done() -> bool:
        return await states() == ["running", "running", "done"]

    async def all_done() -> bool:
        return await states() == ["done"] * 3

    try:
        await eventually(quick_is_done)
        goes_on.set()
        await eventually(all_done)
        assert ended == ["third", "first", "second"]
    finally:
        desk.cancel()


@pytest.mark.postgres
async def test_a_signal_while_the_journal_is_away_reloads_when_it_is_back(tmp_path: Path, database_url: str) -> None:
    split = urlsplit(database_url)
    proxy = TcpProxy(split.hostname or "127.0.0.1", split.port or 5432)
    await proxy.start()
    site = SiteOnDisk(tmp_path, journal=proxy.through(database_url))
    async with site.running() as hub:
        before = hub.site.version
        site.write("routes/acme.yaml", ROUTES.replace("id: orders", "id: others"))
        proxy.refuse()
        proxy.cut()
        signal = asyncio.create_task(reload(hub))
        await asyncio.sleep(0.5)
        assert hub.site.version == before
        proxy.allow()

        async def reloaded() -> bool:
            return "others" in hub.site.table.by_id and hub.runtime.snapshot.table is hub.site.table

        await eventually(reloaded)
        await signal
    await proxy.close()
