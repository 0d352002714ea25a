"""What has become of what came in, for those who wait outside for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hub.core.ports import Body


class State(StrEnum):
    """What those outside are told of a document, or of a document at a destination."""

    RECEIVED = "received"
    UNREADABLE = "unreadable"
    UNMATCHED = "unmatched"
    FILTERED = "filtered"
    DUPLICATE = "duplicate"
    ROUTED = "routed"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    HELD = "held"
    DEAD = "dead"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DestinationState:
    """One document at one destination."""

    destination: str
    state: State


@dataclass(frozen=True, slots=True)
class DocumentState:
    """One document, or a part that is none. `cause` says why it is unreadable; `ours`: a step of the site says so,
    perhaps in the words of our systems. Times are seconds since the epoch."""

    id: str
    state: State
    received_at: float
    document: str | None = None
    number: str | None = None
    cause: str = ""
    destinations: tuple[DestinationState, ...] = ()
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How the only document of an arrival has ended at the destination that answers. `state` is delivered, held, dead,
    discarded, filtered, unmatched or duplicate; retrying: it has failed for now; routed: it is under way, or, when it
    is `silent`, goes there not at all. `reply` is what the destination has said, None: nothing."""

    state: State
    document_id: str
    destination: str = ""
    text: str = ""
    reply: Body | None = None
    content_type: str | None = None
    silent: bool = False


class Outcomes(Protocol):
    """What the journal has committed of arrivals. An arrival is called by the business key `arrival` that its source
    gave it. Raises JournalUnavailable.

    - `standing`: its documents, as far as they came from that source and, with a partner, from that partner; empty:
      unknown.
    - `ending`: waits up to `within` seconds for the end, or the first failure, of its document at the destination that
      answers.
    """

    async def standing(self, source: str, arrival: str, partner: str) -> tuple[DocumentState, ...]: ...

    async def ending(self, source: str, arrival: str, within: float) -> Ending | None: ...


ARRIVAL = "arrival"
"""The kind of the business key."""
