"""The body of a copy that stays behind as a row."""

from __future__ import annotations

from hub.journal.commit.entry import Entry
from hub.journal.journal import Journal
from hub.runtime.copy import RouteCopy


async def kept_body(journal: Journal, copy: RouteCopy, entry: Entry, now: float) -> str:
    """The claim of the copy's canonical form, kept with the entry."""
    if copy.claim is not None:
        return copy.claim
    kept = await journal.keep(copy.message.body)
    entry.claim(kept, now)
    return kept.digest
