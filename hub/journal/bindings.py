"""The bindings that the hub has declared, so that those that nobody needs any more are removed: also after an edit
while no hub ran.

Each process has a row: what it needs, and what it has declared. A process with older files, which starts while others
run by newer ones, therefore takes nothing from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.topology import Binding
from hub.journal import schema
from hub.journal.commands import Commands
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory

OWNER, NAME = "hub", "bindings"
"""What an earlier release recorded for all processes has the bare name; that of a process stands behind it."""


@dataclass(frozen=True, slots=True)
class Unneeded:
    """Bindings that were declared and that no living process needs; the rows that say so."""

    bindings: list[Binding]
    rows: list[str]


class DeclaredBindings:
    """The record, in the journal. Raises JournalUnavailable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._memory = JournalMemory(journal, OWNER)
        self._mine = f"{NAME}:{journal.process}"

    async def need(self, wanted: Collection[Binding]) -> bool:
        """This process needs these from now on. Call it before they are declared, so that no other process removes
        them. False where it has no row: it is new, or was taken for dead while it could not reach the journal, and its
        bindings may be gone."""
        found = await self._memory.get(self._mine)
        _, declared = unpacked(found)
        await self._memory.put(self._mine, packed(wanted, {*declared, *wanted}))
        return found is not None

    async def unneeded(self) -> Unneeded:
        """What is to be unbound now; `unbound` follows."""
        living = {f"{NAME}:{row.id}" for row in await Commands(self._journal).processes()} | {self._mine}
        needed, declared, dead = set[Binding](), set[Binding](), list[str]()
        for name, value in await self._rows():
            wants, has = unpacked(value)
            needed.update(wants if name in living else ())
            declared.update(has)
            if name not in living:
                dead.append(name)
        return Unneeded(sorted(declared - needed, key=repr), dead)

    async def needed(self, bindings: Iterable[Binding]) -> list[Binding]:
        """Those of them that a process needs by now."""
        gone = set((await self.unneeded()).bindings)
        return [binding for binding in bindings if binding not in gone]

    async def unbound(self, unneeded: Unneeded) -> None:
        """They are unbound: nobody has them any more."""
        wants, _ = unpacked(await self._memory.get(self._mine))
        await self._memory.put(self._mine, packed(wants, wants))
        table = schema.memory
        gone = sa.delete(table).where(table.c.owner == OWNER, table.c.name.in_(unneeded.rows))

        if unneeded.rows:
            await self._journal.execute(gone)

    async def _rows(self) -> list[tuple[str, str]]:
        table = schema.memory
        named = sa.or_(table.c.name == NAME, table.c.name.startswith(f"{NAME}:"))
        select = sa.select(table.c.name, table.c.value).where(table.c.owner == OWNER, named)

        async def query(connection: AsyncConnection) -> list[tuple[str, str]]:
            return [(row.name, row.value) for row in await connection.execute(select)]

        return await self._journal.read(query)


def packed(wants: Iterable[Binding], declared: Iterable[Binding]) -> str:
    return orjson.dumps({"wants": rows_of(wants), "declared": rows_of(declared)}).decode()


def unpacked(value: str | None) -> tuple[list[Binding], list[Binding]]:
    """What is needed, and what was declared. A row of an earlier release is a list of what was declared."""
    found = orjson.loads(value) if value else {}
    if isinstance(found, list):
        return [], [binding_of(*parts) for parts in found]
    wants, declared = found.get("wants", ()), found.get("declared", ())
    return [binding_of(*parts) for parts in wants], [binding_of(*parts) for parts in declared]


def rows_of(bindings: Iterable[Binding]) -> list[list[Any]]:
    rows: list[list[Any]] = [
        [each.exchange, each.queue, each.key, [list(pair) for pair in each.headers]] for each in bindings
    ]
    return sorted(rows, key=orjson.dumps)


def binding_of(exchange: Any, queue: Any, key: Any, headers: Any) -> Binding:
    return Binding(str(exchange), str(queue), str(key), tuple((str(name), value) for name, value in headers))
