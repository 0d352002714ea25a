"""Carries out the commands that the faces left in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from hub.core.errors import HubError, JournalUnavailable
from hub.journal.commands import Commands
from hub.runtime.guard import outcome_of
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
        self._begun: dict[str, Any] = {}
        """Commands that are not finished: the journal went away meanwhile. They are carried out again when it is back."""

    async def run(self) -> None:
        while True:
            error = await outcome_of(self._look)
            if isinstance(error, Exception):
                if not isinstance(error, JournalUnavailable):
                    self._live.log.error("command_desk", error=str(error), exc_info=error)
                await asyncio.sleep(1.0)
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        self._begun |= {row.id: row for row in await self._commands.take(self._live.journal.process)}
        for row in list(self._begun.values()):
            result = await outcome_of(lambda row=row: self._carry_out(row))  # type: ignore[misc]
            if isinstance(result, JournalUnavailable):
                raise result
            if isinstance(result, Exception):
                unforeseen = None if isinstance(result, HubError) else result
                self._live.log.warning(
                    "command_failed", command=row.kind, who=row.who, error=str(result), exc_info=unforeseen
                )
                await self._commands.finish(row.id, "failed", {"error": str(result) or type(result).__name__})
            else:
                self._live.log.info("command_done", command=row.kind, who=row.who, result=result)
                await self._commands.finish(row.id, "done", result)
            del self._begun[row.id]

    async def _carry_out(self, row: Any) -> dict[str, Any]:
        act = self._acts.get(row.kind.partition("@")[0])
        if act is None:
            raise HubError(f"this hub doesn't know the command {row.kind!r}")
        return await act(orjson.loads(row.arguments), row.who)
