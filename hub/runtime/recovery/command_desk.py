"""Carries out the commands that the faces left in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from hub.core.errors import HubError, JournalUnavailable
from hub.journal.commands import Commands, CommandStatus
from hub.journal.rows import CommandRow
from hub.runtime.boundary import Boundary
from hub.runtime.runtime import Runtime

Act = Callable[[dict[str, Any], str], Awaitable[dict[str, Any]]]
"""(arguments, who) -> result. Raises HubError, which becomes the command's failure."""

POLL_SECONDS = 0.25


class CommandDesk:
    """Looks for commands every quarter of a second. `acts` maps a kind to what is done. Commands of one kind are
    carried out one after the other; those of other kinds never wait for them: a replay of something large keeps nobody
    from a reload."""

    def __init__(self, runtime: Runtime, acts: Mapping[str, Act]) -> None:
        self._runtime = runtime
        self._acts = acts
        self._commands = Commands(runtime.journal)
        self._begun: dict[str, Any] = {}
        """Commands that are not finished. Where the journal went away meanwhile they are carried out again when it is
        back."""
        self._at_work: dict[str, asyncio.Task[None]] = {}
        """By kind."""

    async def run(self) -> None:
        try:
            while True:
                with Boundary() as boundary:
                    await self._look()
                await self._pause_after(boundary.error)
                await self._runtime.clock.sleep(POLL_SECONDS)
        finally:
            for task in self._at_work.values():
                task.cancel()

    async def _look(self) -> None:
        self._begun |= {row.id: row for row in await self._commands.take(self._runtime.journal.process)}
        for kind in {kind_of(row) for row in self._begun.values()} - self._at_work.keys():
            task = asyncio.create_task(self._work(kind), name=f"command-{kind}")
            self._at_work[kind] = task
            task.add_done_callback(lambda _, kind=kind: self._at_work.pop(kind))  # type: ignore[misc]

    async def _work(self, kind: str) -> None:
        with Boundary() as boundary:
            await self._all_of(kind)
        await self._pause_after(boundary.error)

    async def _pause_after(self, error: Exception | None) -> None:
        if error is None:
            return
        if not isinstance(error, JournalUnavailable):
            self._runtime.log.error("command_desk", error=str(error), exc_info=error)
        await self._runtime.clock.sleep(1.0)

    async def _all_of(self, kind: str) -> None:
        for row in [row for row in self._begun.values() if kind_of(row) == kind]:
            with Boundary() as boundary:
                result = await self._carry_out(row)
            error = boundary.error
            if isinstance(error, JournalUnavailable):
                raise error
            if error is not None:
                unforeseen = None if isinstance(error, HubError) else error
                self._runtime.log.warning(
                    "command_failed", command=row.kind, who=row.who, error=str(error), exc_info=unforeseen
                )
                await self._commands.finish(row.id, CommandStatus.FAILED, {"error": str(error) or type(error).__name__})
            else:
                self._runtime.log.info("command_done", command=row.kind, who=row.who, result=result)
                await self._commands.finish(row.id, CommandStatus.DONE, result)
            del self._begun[row.id]

    async def _carry_out(self, row: CommandRow) -> dict[str, Any]:
        act = self._acts.get(kind_of(row))
        if act is None:
            raise HubError(f"this hub doesn't know the command {row.kind!r}")
        return await act(orjson.loads(row.arguments), row.who)


def kind_of(row: CommandRow) -> str:
    """Without the process that it is for."""
    return str(row.kind.partition("@")[0])
