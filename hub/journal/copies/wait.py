"""A copy that waits for something else than time alone, as a row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hub.journal.commit.bulk import Bulk


class Reason(StrEnum):
    """What a copy waits for."""

    ONCE = "once"  # another message holds its once-key
    ENDPOINT = "endpoint"  # its endpoint is left alone
    PROCESS = "process"  # another process is sending it
    TABLE = "table"  # its destination is known to a process with another route table
    RETRY_AFTER = "retry_after"  # the far end has said when to come again


class Wait(NamedTuple):
    """One copy that waits. `waits_for`: the once-key, the name of the endpoint or of the destination. `due_at`: when it
    is woken whatever happens. `process`: whose breaker it waits for. `body`: the claim of its canonical form."""

    id: str
    document_id: str
    route: str
    destinations: str
    reason: Reason
    waits_for: str
    text: str
    partner: str | None
    number: str | None
    headers: str
    body: str
    since: float
    due_at: float
    process: str


@dataclass(frozen=True, slots=True)
class WaitingCopies:
    """How many copies wait for one thing, and since when the oldest does."""

    reason: Reason
    waits_for: str
    count: int
    oldest: float


WAIT = Bulk(
    "waiting",
    Wait,
    "ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, waits_for = excluded.waits_for, text = excluded.text,"
    " headers = excluded.headers, due_at = excluded.due_at, process = excluded.process, taken_by = NULL, taken_at ="
    " NULL",
)
"""A copy that waits again keeps the time since when it waits. It is nobody's then: who has woken it before does not
remove it."""
