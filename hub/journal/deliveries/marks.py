"""What adapters note of an attempt before a step that can't be undone."""

from __future__ import annotations

import sqlalchemy as sa

from hub.core.errors import JournalUnavailable, TransientError
from hub.journal import schema
from hub.journal.journal import Journal

LONGEST = 200


class Marks:
    """One for each document and destination, while its outcome is open. A release or a replay forgets it: a person has
    decided then."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def put(self, document_id: str, destination: str, mark: str) -> None:
        """It is committed when this returns. Raises TransientError, also where another process has taken the sending
        over."""
        table = schema.effect
        mine = (
            (table.c.document_id == document_id)
            & (table.c.destination == destination)
            & (table.c.claimed_by == self._journal.process)
        )

        try:
            written = await self._journal.execute(sa.update(table).where(mine).values(mark=mark[:LONGEST] or None))
        except JournalUnavailable as error:
            raise TransientError(f"the journal can't note {mark!r} now: {error}", "busy") from error
        if not written:
            raise TransientError("another process has taken over the sending", "busy")
