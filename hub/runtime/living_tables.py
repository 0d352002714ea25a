"""The route tables of the other processes that live: whether one of them knows what this one doesn't."""

from __future__ import annotations

import time

from hub.journal.commands import Commands
from hub.journal.journal import Journal

FRESH = 2.0
"""Seconds for which an answer of the journal is used."""


class LivingTables:
    """Asked when a copy names a destination that this process doesn't have."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: frozenset[str] = frozenset()
        self._asked = -FRESH

    async def others_have(self, version: str) -> bool:
        """Whether another process that lives works by this table. Raises JournalUnavailable."""
        if version == self._journal.table_version:
            return False
        if time.monotonic() - self._asked >= FRESH:
            rows = await Commands(self._journal).processes()
            self._known = frozenset(row.table_version for row in rows if row.id != self._journal.process)
            self._asked = time.monotonic()
        return version in self._known
