"""An arrival as the journal has it: it is read again to the same ids and facts."""

from __future__ import annotations

from hub.core.ports import Arrival
from hub.journal.deliveries.decided import message_of, terms_in
from hub.journal.journal import Journal
from hub.runtime.intake.arrival_terms import recorded_terms


async def arrival_again(journal: Journal, message_id: str) -> Arrival | None:
    """The arrival in which a message came. None: there is no such message, or what its source knew is not recorded,
    because it came to an earlier release. Raises ClaimMissing and JournalUnavailable."""
    row = await message_of(journal, message_id)
    if row is None or row.terms is None:
        return None
    claim = (terms_in(row.terms) or {}).get("claim")
    record = row.terms if claim is None else b"".join((await journal.claim_body(claim)).chunks())
    return recorded_terms(Arrival(row.source, await journal.claim_body(row.claim), row.name), record)
