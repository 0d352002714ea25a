"""What a message of somebody else's says of itself, made safe to keep and to show."""

from __future__ import annotations

from typing import Any

from hub.core.message import Header, Message

LONGEST_TEXT = 255
"""Bytes of a text that an AMQP property carries."""


def arrival_headers(message: Message) -> dict[str, Any]:
    """The message's own headers, and the three names that the hub itself listens to: `content_type` and
    `correlation_id` are those of the AMQP properties, the hops those that another hub counted. A publisher's header
    never steers the hub."""
    kept = {name: value for name, value in message.without_broker_headers().headers.items() if not is_ours(name)}
    if message.content_type:
        kept["content_type"] = safe_text(message.content_type)
    if message.correlation_id:
        kept["correlation_id"] = safe_text(message.correlation_id)
    hops = message.headers.get(Header.HOPS)
    kept[Header.HOPS] = max(hops, 0) if isinstance(hops, int) and not isinstance(hops, bool) else 0
    return kept


def is_ours(name: str) -> bool:
    lower = name.lower()
    return lower in ("content_type", "correlation_id") or lower.startswith("hub-")


def safe_text(value: object) -> str:
    """Text of at most 255 bytes, as AMQP carries it, in which every character can be printed."""
    whole = str(value)[:LONGEST_TEXT]
    if whole.isascii() and whole.isprintable():
        return whole
    text = "".join(character if character.isprintable() else "_" for character in whole)
    return text.encode()[:LONGEST_TEXT].decode(errors="ignore")


def stands(message: Message, exchange: str, key: str) -> dict[str, Any]:
    """What may become a fact, by lower-case name of where it stands: `header.x-region`, `property.priority`, `key`."""
    values: dict[str, Any] = {"exchange": exchange, "key": key}
    values.update({f"header.{name.lower()}": value for name, value in message.headers.items()})
    properties = {
        "id": message.id,
        "type": message.type,
        "content_type": message.content_type,
        "correlation_id": message.correlation_id,
        "reply_to": message.reply_to,
        **message.properties,
    }
    values.update({f"property.{name}": plain(value) for name, value in properties.items()})
    return values


def plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
