"""The body of a far end's reply, looked into by paths. Pure.

A path begins with `/`. In JSON it is a JSON pointer (RFC 6901), in XML an XPath 1.0 in which names stand without prefixes,
whatever their namespaces: `/order/id` finds both `{"order": {"id": 7}}` and `<o:order><o:id>7</o:id></o:order>`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hub.core.exact_number import exact, written_out

LARGEST = 16 << 20
"""Bytes of a body that are looked into."""

NOTHING = object()

UNMISTAKABLY_XPATH = ("//", "@", "[", "(")


def check_path(path: str) -> str:
    """The path. Raises ValueError where it is neither a JSON pointer nor an XPath."""
    if path and not path.startswith("/"):
        raise ValueError(f"{path!r} is no path into a reply; it begins with /")
    if any(mark in path for mark in UNMISTAKABLY_XPATH):
        from hub.core.reply_xml import check_xpath

        check_xpath(path)
    return path


class ReplyBody:
    """Parsed when it is first looked into. What can't be parsed holds nothing."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parsed: Any = None
        self._kind = ""

    def at(self, path: str) -> Any:
        """What stands there: a JSON value, whose numbers with a fraction are Decimals; of XML always text. NOTHING where nothing
        does."""
        if not self._kind:
            self._kind, self._parsed = parsed(self._raw)
        if self._kind == "json":
            return at_pointer(self._parsed, path)
        return text_at(self._parsed, path) if self._kind == "xml" else NOTHING

    def is_at(self, path: str, wanted: Any) -> bool:
        """Whether the wanted value stands there: of its own type in JSON, as text in XML."""
        found = self.at(path)
        if self._kind == "xml":
            return found is not NOTHING and found == as_text(wanted)
        if isinstance(found, bool) or isinstance(wanted, bool):
            return found is wanted
        return bool(found == (Decimal(repr(wanted)) if isinstance(wanted, float) else wanted))


def parsed(raw: bytes) -> tuple[str, Any]:
    if len(raw) > LARGEST:
        return "none", NOTHING
    if raw[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        from hub.core.reply_xml import safe_xml, without_namespaces

        root = safe_xml(raw)
        return ("xml", without_namespaces(root)) if root is not None else ("none", NOTHING)
    try:
        return "json", json.loads(raw, parse_float=_exactly, parse_constant=_nothing)
    except (ValueError, RecursionError):
        return "none", NOTHING


def _exactly(text: str) -> Decimal | None:
    """A number beyond all bounds is no value."""
    try:
        return exact(text)
    except ValueError:
        return None


def _nothing(text: str) -> None:
    """NaN and Infinity, which JSON doesn't have."""


def text_at(root: Any, path: str) -> Any:
    from hub.core.reply_xml import at_xpath

    found = at_xpath(root, path)
    return NOTHING if found is None else as_text(found)


def as_text(value: Any) -> str:
    """A value as XML says it: `true`, `7`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return written_out(value.to_integral_value() if value == value.to_integral_value() else value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def at_pointer(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer, or NOTHING."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key, NOTHING)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10:
            value = value[int(key)] if int(key) < len(value) else NOTHING
        else:
            return NOTHING
    return value
