"""The body of a far end's reply, looked into by paths. Pure.

A path begins with `/`. In JSON it is a JSON pointer (RFC 6901), in XML an XPath 1.0 in which names stand without
prefixes, whatever their namespaces: `/order/id` finds both `{"order": {"id": 7}}` and
`<o:order><o:id>7</o:id></o:order>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.core.exact_number import exact, written_out
from hub.core.message import empty

LARGEST = 16 << 20
"""Bytes of a body that are looked into."""

SMALL = 64_000
"""Up to so many bytes looking into a body costs little, if its paths are plain."""

MOST_LOOKS = 1_000_000
"""What an XPath that is no plain path may cost at most to be cheap. See `is_cheap`."""

NOTHING = object()

UNMISTAKABLY_XPATH = ("//", "@", "[", "(")


def check_path(path: str) -> str:
    """The path. Raises ValueError where it is neither a JSON pointer nor an XPath."""
    if path and not path.startswith("/"):
        raise ValueError(f"{path!r} is no path into a reply; it begins with /")
    if any(mark in path for mark in UNMISTAKABLY_XPATH):
        from hub.core.replies.reply_xml import check_xpath

        check_xpath(path)
    return path


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """What stands at some paths of a reply. `kind` is json, xml, or empty for what holds nothing. `values` leaves out
    the paths at which nothing stands. `wrong`: why nobody could look, because the reply passes a bound or is ambiguous;
    it holds nothing then."""

    kind: str = ""
    values: Mapping[str, Any] = field(default_factory=empty)
    wrong: str = ""

    def at(self, path: str) -> Any:
        """What stands there: a JSON value, whose numbers with a fraction are Decimals; of XML always text. NOTHING
        where nothing does."""
        return self.values.get(path, NOTHING)

    def is_at(self, path: str, wanted: Any) -> bool:
        """Whether the wanted value stands there: of its own type in JSON, as text in XML."""
        found = self.at(path)
        if self.kind == "xml":
            return found is not NOTHING and found == as_text(wanted)
        if isinstance(found, bool) or isinstance(wanted, bool):
            return found is wanted
        return bool(found == (Decimal(repr(wanted)) if isinstance(wanted, float) else wanted))


def look_into(raw: bytes, paths: Iterable[str]) -> ReplyBody:
    """Finds what stands at the paths. What can't be parsed holds nothing. `is_cheap` says whether it may take long."""
    paths = tuple(paths)
    if not paths or not raw:
        return ReplyBody()
    try:
        kind, parsed = _parsed(raw)
    except _Unclear as error:
        return ReplyBody(wrong=str(error))
    at = text_at if kind == "xml" else at_pointer
    values = {path: at(parsed, path) for path in paths} if kind else {}
    return ReplyBody(kind, {path: value for path, value in values.items() if value is not NOTHING})


async def look_here(owner: str, raw: bytes, paths: Iterable[str]) -> ReplyBody:
    """The same for callers that wait: in this process, whatever it costs. `owner` is the destination or step that
    asks."""
    return look_into(raw, paths)


def is_cheap(raw: bytes, paths: Iterable[str]) -> bool:
    """Whether `look_into` takes milliseconds at most, whatever the bytes are. Each `//`, predicate and function of an
    XPath may look at all nodes, for each node that the others look at."""
    if len(raw) > SMALL:
        return False
    if not _is_xml(raw):
        return True
    nodes = raw.count(b"<") + raw.count(b"=") + 1
    loops = max((sum(path.count(mark) for mark in ("//", "[", "(", "*", "::")) for path in paths), default=0)
    return bool(nodes**loops <= MOST_LOOKS) if loops > 1 else True


class _Unclear(ValueError):
    """It passes a bound, or may be read in two ways; says how."""


def _is_xml(raw: bytes) -> bool:
    return raw[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _parsed(raw: bytes) -> tuple[str, Any]:
    if len(raw) > LARGEST:
        raise _Unclear(f"it has {len(raw)} bytes; at most {LARGEST} are looked into")
    if _is_xml(raw):
        return _parsed_xml(raw)
    try:
        return "json", json.loads(raw, parse_float=_exactly, parse_constant=_nothing, object_pairs_hook=_once)
    except _Unclear:
        raise
    except (ValueError, RecursionError):
        return "", NOTHING


def _parsed_xml(raw: bytes) -> tuple[str, Any]:
    from hub.core.replies.reply_xml import TooMuchXml, bounded_xml, without_namespaces

    try:
        return "xml", without_namespaces(bounded_xml(raw))
    except TooMuchXml as error:
        raise _Unclear(str(error)) from None
    except ValueError:
        return "", NOTHING


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, in which no key stands twice: nobody knows which of them the far end meant."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Unclear(f"the key {twice[:80]!r} stands twice in an object of it")
    return made


def _exactly(text: str) -> Decimal | None:
    """A number beyond all bounds is no value."""
    try:
        return exact(text)
    except ValueError:
        return None


def _nothing(text: str) -> None:
    """NaN and Infinity, which JSON doesn't have."""


def text_at(root: Any, path: str) -> Any:
    from hub.core.replies.reply_xml import at_xpath

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
