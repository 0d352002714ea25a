"""The copy of a document that travels to one route: made by the intake, read by the route worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from hub.core.errors import DecodeError
from hub.core.message import JSON, Header, Message, storable
from hub.core.record import record
from hub.documents import BATCH

LARGEST_BODY = 1 << 20
"""Bodies above this size (bytes) travel as claims."""

IN_THREAD = 1 << 18
"""Bodies above this size (bytes) are read by a thread, so that the event loop stays free."""


def fact_text(value: Any) -> Any:
    """A fact as JSON: decimals and dates as text."""
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    raise TypeError(type(value).__name__)


def pack_facts(facts: Mapping[str, Any]) -> str:
    return orjson.dumps(facts, default=fact_text, option=orjson.OPT_NON_STR_KEYS).decode()


def unpack_facts(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a copy carries: text, numbers and booleans; decimals and dates are text. Empty for garbage."""
    return facts_in(headers.get(Header.FACTS))


def facts_in(packed: Any) -> dict[str, Any]:
    """Facts that were packed; empty for garbage."""
    try:
        found = orjson.loads(packed) if isinstance(packed, str) else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a copy can't proceed, as its headers carry it."""

    error: str
    text: str

    @classmethod
    def of(cls, error: BaseException) -> Cause:
        return cls(type(error).__name__, storable(str(error)))


@record
class RouteCopy:
    """One document on its way through one route.

    `send`: the destinations whose guards let it pass when it was matched. `open`: those that this copy still serves.
    """

    message: Message
    document_id: str
    route: str
    document: str
    source: str
    table: str
    send: tuple[str, ...]
    open: tuple[str, ...]
    attempt: int
    canonical: str
    claim: str | None
    parent: str | None
    first_failure: float | None
    hops: int
    waits: int
    alone: bool = False
    came_again: bool = False

    @classmethod
    def of(cls, message: Message, route: str) -> RouteCopy:
        """Raises DecodeError for a message that the intake didn't make."""
        headers = message.headers
        send = split(headers.get(Header.SEND))
        if not message.id or not send or not isinstance(headers.get(Header.DOCUMENT), str):
            raise DecodeError(
                "not a copy that the hub made: its headers don't say which document it is and where it goes"
            )
        return cls(
            message=message,
            document_id=message.id,
            route=route,
            document=headers[Header.DOCUMENT],
            source=str(headers.get(Header.SOURCE, "")),
            table=str(headers.get(Header.TABLE, "")),
            send=send,
            open=split(headers.get(Header.OPEN)) or send,
            attempt=number(headers.get(Header.ATTEMPT), 1),
            canonical=str(headers.get(Header.CANONICAL, "")),
            claim=headers.get(Header.CLAIM),
            parent=headers.get(Header.PARENT),
            first_failure=headers.get(Header.FIRST_FAILURE),
            hops=number(headers.get(Header.HOPS), 0),
            waits=number(headers.get(Header.WAITS), 0),
            alone=headers.get(Header.ALONE) is True,
            came_again=headers.get(Header.AGAIN) is True,
        )

    @property
    def is_batch(self) -> bool:
        """It carries documents that were delivered to nobody yet, and has effects of its own."""
        return self.document == BATCH

    def facts(self) -> dict[str, Any]:
        """The facts as text, numbers and booleans, for names and templates."""
        return unpack_facts(self.message.headers)

    def still_open(
        self, destination: str, attempt: int, error: Cause | None, at: float, waits: int = 0, *, again: bool = False
    ) -> Message:
        """The copy for one destination that is still open. `again`: it had come again, and nobody has worked on it
        since."""
        return self.message.without_broker_headers().with_headers(
            hub_open=destination,
            hub_attempt=attempt,
            hub_first_failure=self.first_failure or (at if error else None),
            hub_error=error.error if error else None,
            hub_error_text=error.text[:2000] if error else None,
            hub_waits=waits or None,
            hub_again=again or None,
        )


def make_copy(
    *,
    document: str,
    document_id: str,
    body: bytes,
    canonical: str,
    route: str,
    send: Sequence[str],
    facts: str,
    table: str,
    source: str,
    correlation_id: str | None,
    hops: int,
    again: bool = False,
) -> Message:
    """The first copy of a document (`order@1`) for a route. A body above a megabyte stays behind as the claim
    `canonical`."""
    large = len(body) > LARGEST_BODY
    headers: dict[str, Any] = {
        Header.ROUTE: route,
        Header.TABLE: table,
        Header.SOURCE: source,
        Header.SEND: ",".join(send),
        Header.FACTS: facts,
        Header.DOCUMENT: document,
        Header.CANONICAL: canonical,
        Header.HOPS: hops,
    }
    if large:
        headers[Header.CLAIM] = canonical
    if again:
        headers[Header.AGAIN] = True
    return Message(document_id, b"" if large else body, JSON, headers, correlation_id)


def split(value: Any) -> tuple[str, ...]:
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else ()


def number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def pack(message: Message) -> str:
    """A message without its body, as JSON."""
    kept = {
        "id": message.id,
        "content_type": message.content_type,
        "headers": dict(message.without_broker_headers().headers),
        "correlation_id": message.correlation_id,
        "type": message.type,
    }
    return orjson.dumps(kept, default=str).decode()


def unpack(packed: str, body: bytes) -> Message:
    """The message again."""
    kept = orjson.loads(packed)
    return Message(
        kept["id"],
        body,
        kept["content_type"],
        {name: value for name, value in kept["headers"].items() if value is not None},
        kept.get("correlation_id"),
        None,
        kept.get("type"),
    )
