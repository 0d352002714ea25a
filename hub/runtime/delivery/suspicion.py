"""Copies during which hub processes have died: they go singly, and at last not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hub.journal.processes.processes import HEARTBEAT_SECONDS
from hub.journal.processes.redeliveries import Begun, Redeliveries
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.company import Company
from hub.runtime.runtime import Runtime


@dataclass(slots=True)
class SuspectCopy:
    """A copy that has been begun. `put_off`: it waits, and this process has done nothing for it."""

    begun: Begun
    put_off: bool = False


class Suspicion:
    """A copy that came again may be what ended its process, or an innocent neighbor of it. One death before it is
    poison it goes singly: no other copy that came again is in work in this process then. An innocent one is delivered,
    and cleared."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._redeliveries = Redeliveries(runtime.journal)
        self._company = Company()

    @asynccontextmanager
    async def begun(self, copy: RouteCopy, redelivered: bool) -> AsyncIterator[SuspectCopy]:
        """How many processes have died over the copy; the block works on it, unless it is poison. The count is
        committed before the block begins, and gone when it ends well, unless it has only put the copy off. Raises
        JournalUnavailable."""
        if not redelivered:
            yield SuspectCopy(Begun(0))
            return
        name, poison = name_of(copy), self._runtime.pool.limits.poison_after
        async with self._company.shared():
            begun = await self._begin(name, poison - 1)
            if begun.deaths != poison - 1:
                suspect = SuspectCopy(begun)
                yield suspect
                await self._end(name, suspect)
                return
        async with self._company.alone():
            suspect = SuspectCopy(await self._begin(name, poison))
            yield suspect
            await self._end(name, suspect)

    async def _end(self, name: str, suspect: SuspectCopy) -> None:
        await (self._redeliveries.release(name) if suspect.put_off else self._redeliveries.finish(name))

    async def leave(self) -> None:
        """This process ends in order: whoever ends it before it has, not a copy does."""
        await self._redeliveries.leave()

    async def _begin(self, name: str, below: int) -> Begun:
        begun = await self._redeliveries.begin(name, below)
        if begun.beat is not None:
            await self._runtime.clock.sleep(2 * HEARTBEAT_SECONDS)
            begun = await self._redeliveries.begin(name, below, begun.beat)
        return begun


def name_of(copy: RouteCopy) -> str:
    return f"copy:{copy.route}:{copy.document_id}:{','.join(copy.open)}"
