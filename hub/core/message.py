"""What travels: a frozen message, and the names of the headers that are the hub's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any

from hub.core.record import record

EMPTY: Mapping[str, Any] = MappingProxyType({})


def empty() -> Mapping[str, Any]:
    """The one empty mapping, as a default factory."""
    return EMPTY


JSON = "application/json"
X12 = "application/edi-x12"


def storable(text: str) -> str:
    """A text as rows and headers can hold it: what is no Unicode (lone surrogates, of bytes that were no UTF-8) is
    written as escapes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


class Header:
    """Header names of the hub. None begins with `x-`: the broker keeps those to itself and drops or rewrites them."""

    ROUTE = "hub-route"
    TABLE = "hub-table"
    SOURCE = "hub-source"
    FACTS = "hub-facts"
    SEND = "hub-send"
    OPEN = "hub-open"
    ATTEMPT = "hub-attempt"
    FIRST_FAILURE = "hub-first-failure"
    DEAD_AT = "hub-dead-at"
    ERROR = "hub-error"
    ERROR_TEXT = "hub-error-text"
    CLAIM = "hub-claim"
    RAW = "hub-raw"
    HOPS = "hub-hops"
    PARENT = "hub-parent"
    POSITION = "hub-position"
    ALONE = "hub-alone"
    """Of a copy that waits for no other document."""
    DOCUMENT = "hub-document"
    """The kind and version of the document: `order@1`."""
    CANONICAL = "hub-canonical"
    """The claim of its canonical form."""
    WAITS = "hub-waits"
    """How often a copy has been put off."""
    AGAIN = "hub-again"
    """Of a copy that had come again when it began to wait, or when its document was read: a process may have died over
    it."""
    NAME = "hub-name"
    """What the body was called where it came from, for a reader and in a dead letter."""
    ANSWERS = "hub-answers"
    """Of a reply that is read: the number of the document which it answers."""
    TERMS = "hub-terms"
    """What the source knew beside the bytes, in a dead letter."""
    TERMS_CLAIM = "hub-terms-claim"
    """The claim which keeps that where it is too long for a header."""
    PLACE = "hub-place"
    """Where in a body stands what can't be read, as JSON."""
    COVERS = "hub-covers"
    """The claim that lists the parts for which one letter stands."""


BROKER_HEADERS = ("x-death", "x-delivery-count", "x-first-death-", "x-last-death-", "x-opt-", "x-acquired-count")
"""Prefixes of headers that a broker sets. A message that keeps them when it is published again is dropped as a
cycle."""


@record
class Message:
    """A message: identity, body bytes and headers. `headers` values are what AMQP can carry (str, int, bool, float,
    bytes, Decimal, datetime, None, lists and dicts of these).

    `id` is derived (see `hub.core.identity`), so that making the same message again gives the same id. `properties` are
    further AMQP properties, by name: `priority` (0 to 255), `expiration` (seconds), `timestamp` (aware),
    `content_encoding`, `user_id`, and of a message that came in also `app_id`. The hub's own messages have none.
    """

    id: str
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, Any] = field(default_factory=empty)
    correlation_id: str | None = None
    reply_to: str | None = None
    type: str | None = None
    properties: Mapping[str, Any] = field(default_factory=empty)

    def with_headers(self, **changes: Any) -> Message:
        """A copy with headers changed; underscores become hyphens; a value of None removes the header."""
        headers = dict(self.headers)
        for name, value in changes.items():
            key = name.replace("_", "-")
            if value is None:
                headers.pop(key, None)
            else:
                headers[key] = value
        return replace(self, headers=headers)

    def without_broker_headers(self) -> Message:
        """A copy that may be published again: the headers a broker added on the way are gone."""
        for name in self.headers:
            if name[:2] == "x-" and name.startswith(BROKER_HEADERS):
                break
        else:
            return self
        kept = {name: value for name, value in self.headers.items() if not name.startswith(BROKER_HEADERS)}
        return replace(self, headers=kept)
