"""Carries out the commands that the faces left in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from hub.core.errors import HubError, JournalUnavailable
from hub.journal.commands import Commands
from hub.runtime.live import Live

Act = Callable[[dict[str, Any], str], Awaitable[dict[str, Any]]]
"""(arguments, who) -> result. Raises HubError, which becomes the command's failure."""

POLL_SECONDS = 0.25


class CommandDesk:
    """Looks for commands every quarter of a second. `acts` maps a kind to what is done."""

    def __init__(self, live: Live, acts: Mapping[str, Act]) -> None:
        self._live = live
        self._acts = acts
        self._commands = Commands(live.journal)

    async def run(self) -> None:
        while True:
            try:
                for row in await self._commands.take(self._live.journal.process):
                    await self._carry_out(row)
            except JournalUnavailable:
                await asyncio.sleep(1.0)
            await asyncio.sleep(POLL_SECONDS)

    async def _carry_out(self, row: Any) -> None:
        act = self._acts.get(row.kind)
        try:
            if act is None:
                raise HubError(f"this hub doesn't know the command {row.kind!r}")
            result = await act(orjson.loads(row.arguments), row.who)
        except JournalUnavailable:
            raise
        except HubError as error:
            self._live.log.warning("command_failed", command=row.kind, who=row.who, error=str(error))
            await self._commands.finish(row.id, "failed", {"error": str(error)})
            return
        self._live.log.info("command_done", command=row.kind, who=row.who, result=result)
        await self._commands.finish(row.id, "done", result)
