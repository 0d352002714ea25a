"""A dead letter: a message that can't proceed, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.core import topology
from hub.core.dead_letter import DeadStatus
from hub.core.identity import message_id
from hub.core.message import Header, Message
from hub.journal.rows import DeadLetterRow
from hub.runtime.copy import number, pack, split, unpack_facts
from hub.runtime.runtime import Snapshot


@dataclass(frozen=True, slots=True)
class Grave:
    """Where dead letters rest: the queue, what it is of (`route`, `source` or `unmatched`), and the name of that."""

    queue: str
    kind: str
    name: str = ""

    @classmethod
    def of_route(cls, route: str) -> Grave:
        return cls(topology.dead_queue(route), "route", route)

    @classmethod
    def of_source(cls, source: str) -> Grave:
        return cls(topology.source_dead_queue(source), "source", source)


UNMATCHED = Grave(topology.UNMATCHED, "unmatched")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The same message gives the same letter, whoever records it: the intake together with what it decided, or the
    keeper that takes the message from its queue. `body` is a claim."""

    grave: Grave
    message: Message
    body: str
    at: float
    owner: str

    @classmethod
    def of(cls, message: Message, grave: Grave, body: str, snapshot: Snapshot, now: float) -> DeadLetter:
        stamp = message.headers.get(Header.DEAD_AT)
        at = float(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else now
        letter = cls(grave, message, body, at, "")
        return replace(letter, owner=snapshot.owner_of(letter.route, letter.source))

    @property
    def document_id(self) -> str:
        return self.message.id or message_id(self.grave.queue, (pack(self.message),))

    @property
    def destinations(self) -> tuple[str, ...]:
        headers = self.message.headers
        return split(headers.get(Header.OPEN)) or split(headers.get(Header.SEND))

    @property
    def route(self) -> str | None:
        return self.grave.name if self.grave.kind == "route" else None

    @property
    def source(self) -> str:
        return str(self.message.headers.get(Header.SOURCE) or (self.grave.name if self.grave.kind == "source" else ""))

    @property
    def parent(self) -> str | None:
        return text(self.message.headers.get(Header.PARENT))

    @property
    def id(self) -> str:
        names = ",".join(self.destinations)
        return message_id(
            DeadStatus.DEAD, (self.grave.kind, self.grave.name, self.document_id, names, self.parent or "")
        )

    @property
    def attempts(self) -> int:
        return number(self.message.headers.get(Header.ATTEMPT), 1) if self.route is not None else 1

    @property
    def why(self) -> tuple[str, str]:
        return why(self.message.headers)

    def row(self) -> DeadLetterRow:
        facts, (error, cause) = unpack_facts(self.message.headers), self.why
        return DeadLetterRow(
            id=self.id,
            message_id=self.document_id,
            kind=self.grave.kind,
            queue=self.grave.queue,
            route=self.route,
            source=self.source,
            destinations=",".join(self.destinations),
            partner=text(facts.get("partner")),
            number=text(facts.get("number")),
            error=error,
            cause=cause,
            attempts=self.attempts,
            headers=pack(self.message),
            body=self.body,
            content_type=self.message.content_type,
            status=DeadStatus.DEAD,
            parent=self.parent,
            dead_at=self.at,
            decided_at=None,
            decided_by=None,
            reason=None,
            owner=self.owner,
        )


def why(headers: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text of the cause. A message that the broker itself dead-lettered says so in `x-death`."""
    error, cause = headers.get(Header.ERROR), headers.get(Header.ERROR_TEXT)
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else None
    if first is not None and first.get("reason") == "delivery_limit":
        return (
            "DeliveryLimit",
            f"delivered {topology.ROUTE_DELIVERY_LIMIT} times without an outcome (the hub ended each time)",
        )
    if error is None:
        return "Unknown", "the message says no cause"
    return str(error), str(cause or error)


def text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
