"""The bindings that the hub has declared, so that those it no longer needs are removed: also after an edit while no hub ran."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from hub.core.topology import Binding
from hub.journal.journal import Journal
from hub.journal.memory import JournalMemory

OWNER, NAME = "hub", "bindings"


class DeclaredBindings:
    """The record, in the journal. One for all processes of a site."""

    def __init__(self, journal: Journal) -> None:
        self._memory = JournalMemory(journal, OWNER)

    async def replace(self, wanted: Collection[Binding]) -> list[Binding]:
        """Records those that are declared now; gives those that were recorded and are not wanted any more. Raises JournalUnavailable."""
        found = await self._memory.get(NAME)
        before = [unpacked(row) for row in orjson.loads(found)] if found else []
        kept = set(wanted)
        if set(before) != kept:
            rows = sorted((packed(binding) for binding in kept), key=orjson.dumps)
            await self._memory.put(NAME, orjson.dumps(rows).decode())
        return [binding for binding in before if binding not in kept]


def packed(binding: Binding) -> list[object]:
    return [binding.exchange, binding.queue, binding.key, [list(pair) for pair in binding.headers]]


def unpacked(row: list[object]) -> Binding:
    exchange, queue, key, headers = row
    pairs = tuple((str(name), value) for name, value in headers)  # type: ignore[attr-defined]
    return Binding(str(exchange), str(queue), str(key), pairs)
