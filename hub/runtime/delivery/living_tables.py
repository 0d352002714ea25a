"""Which versions of the site the living processes work by: whether one of them may know what this one doesn't."""

from __future__ import annotations

from hub.journal.commands import Commands
from hub.journal.journal import Journal

FRESH = 2.0
"""Seconds for which an answer of the journal is used."""


class LivingTables:
    """Asked when a copy names a destination that this process doesn't have."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: frozenset[str | None] = frozenset()
        self._asked = -FRESH

    async def others_may_know(self, version: str) -> bool:
        """Whether another living process works by another version of the site than this one. The version that made the
        copy may be in force nowhere any more: a later one may have the destination too. A copy of this process's own
        version doesn't wait. Raises JournalUnavailable."""
        mine = self._journal.table_version
        if version == mine:
            return False
        if self._journal.clock.monotonic() - self._asked >= FRESH:
            rows = await Commands(self._journal).processes()
            self._known = frozenset(row.table_version for row in rows if row.id != self._journal.process)
            self._asked = self._journal.clock.monotonic()
        return bool(self._known - {mine})
