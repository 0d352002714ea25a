"""What the journal knows of one message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from hub.core.stage import Stage
from hub.journal.interchanges.answers import AnswerSent
from hub.journal.rows import DeadLetterRow, EffectRow, HoldRow, OnceRow


class StoryKey(NamedTuple):
    """A value by which people know a message."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """What happened to a message."""

    at: float
    stage: Stage | str
    """A text where a newer release has recorded it."""
    route: str | None = None
    destination: str | None = None
    attempt: int | None = None
    text: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """What is known of it."""
        return {name: value for name, value in asdict(self).items() if value not in (None, {})}


UNSHOWN = ("claimed_by", "document_id", "headers", "message_id")
"""Columns that say of whom a row is, or are of use to the hub alone."""


@dataclass(slots=True)
class Story:
    """One message: what came in, what was decided, what went out. Times are seconds since the epoch."""

    id: str
    source: str = ""
    name: str = ""
    document: str | None = None
    partner: str | None = None
    number: str | None = None
    position: str = ""
    claim: str | None = None
    canonical: str | None = None
    received_at: float | None = None
    terms: dict[str, Any] | None = None
    """What its source knew beside the bytes (`hub.journal.deliveries.decided.terms_in`); None: not recorded."""
    keys: list[StoryKey] = field(default_factory=list)
    events: list[StoryEvent] = field(default_factory=list)
    effects: list[EffectRow] = field(default_factory=list)
    holds: list[HoldRow] = field(default_factory=list)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    once: list[OnceRow] = field(default_factory=list)
    answers: list[AnswerSent] = field(default_factory=list)
    """What we said of it to the partner that sent it."""

    def as_dict(self) -> dict[str, Any]:
        told = asdict(self)
        told["keys"] = [key._asdict() for key in self.keys]
        told["events"] = [event.as_dict() for event in self.events]
        for name in ("effects", "holds", "dead_letters"):
            told[name] = [
                {column: value for column, value in row._asdict().items() if column not in UNSHOWN}
                for row in getattr(self, name)
            ]
        told["once"] = [{k: v for k, v in row._asdict().items() if k != "owner"} for row in self.once]
        return told
