"""A reply as a page of a list. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urljoin

from adapters.rest.http_response import HttpResponse
from adapters.rest.list_options import NextOptions, RestSourceOptions
from hub.core.apart import Piece
from hub.core.errors import DecodeError
from hub.core.exact_number import written_out
from hub.core.message import JSON
from hub.core.replies.reply_body import NOTHING, at_pointer
from hub.mapping.json_list import elements
from hub.mapping.json_text import parse_json

LONGEST = 1000
"""Characters of a cursor or a name: no more stand in a question."""

LONGEST_NEXT = 4000
"""Characters of a token, or of the URL of a page."""

MOST_ITEMS = 100_000
"""Items of one reply."""

LINK = re.compile(r'<([^<>]*)>((?:\s*+;\s*+[^\s"=;,]++(?:\s*+=\s*+(?:"[^"]*+"|[^\s";,]*+))?)*+)')
REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]*))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """What becomes an arrival: its bytes as the far end wrote them."""

    body: bytes
    name: str = ""
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Page:
    """`next`: the URL of the next page. `cursor`: how far the list has been read with this page; None: it says nothing
    new.
    `etag`: of the reply, empty: none."""

    items: tuple[Item, ...]
    next: str | None = None
    cursor: str | None = None
    etag: str = ""


def page_of(answer: HttpResponse, options: RestSourceOptions, url: str, first: str) -> Page:
    """The page that stands at `url`, of a list that begins at `first`. Raises DecodeError."""
    reply = _Reply(answer.body)
    items = tuple(_items(answer, options))
    following = _next(answer, reply, options.next, url, first)
    return Page(items, following, _cursor(items, reply, options), answer.headers.get("etag", ""))


def pieces_of(answer: HttpResponse, options: RestSourceOptions, url: str, first: str) -> Iterator[Piece]:
    """The same in pieces that can travel: the items, and what `page_from` needs besides. Raises DecodeError."""
    page = page_of(answer, options, url, first)
    for item in page.items:
        yield {"name": item.name, "content_type": item.content_type}, item.body
    yield {"next": page.next, "cursor": page.cursor, "etag": page.etag}, b""


def page_from(pieces: Sequence[Piece]) -> Page:
    """Raises DecodeError for what `pieces_of` doesn't give."""
    try:
        *items, (last, _) = pieces
        found = tuple(Item(body, str(head["name"]), str(head["content_type"])) for head, body in items)
        following, cursor = (None if last[name] is None else str(last[name]) for name in ("next", "cursor"))
        return Page(found, following, cursor, str(last["etag"]))
    except (ValueError, KeyError) as error:
        raise DecodeError(f"a worker has made no page of the reply: {type(error).__name__}: {error}") from None


class _Reply:
    """Read when something in it is looked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._value: Any = NOTHING

    def at(self, path: str) -> Any:
        if self._value is NOTHING:
            self._value = read(self._body, "the reply")
        return at_pointer(self._value, path)


def read(body: bytes, what: str) -> Any:
    """Raises DecodeError, also for a key that stands twice in an object: nobody knows which of them is meant."""
    try:
        return parse_json(body)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{what} can't be read as JSON: {str(error)[:200]}") from error


def _items(answer: HttpResponse, options: RestSourceOptions) -> Iterator[Item]:
    if options.items is None:
        if answer.body and answer.status != 204:
            yield Item(answer.body, content_type=answer.headers.get("content-type", JSON))
        return
    for count, body in enumerate(elements((answer.body,), options.items, len(answer.body))):
        if count == MOST_ITEMS:
            raise DecodeError(f"the list has more than {MOST_ITEMS} items in one reply; ask for fewer")
        yield Item(body, _name(body, options.id))


def _name(body: bytes, path: str | None) -> str:
    """Nothing for an item in which it can't be found: the reader says what is wrong with it."""
    if path is None:
        return ""
    try:
        return scalar(at_pointer(read(body, "an item"), path)) or ""
    except DecodeError:
        return ""


def _cursor(items: tuple[Item, ...], reply: _Reply, options: RestSourceOptions) -> str | None:
    cursor = options.cursor
    if cursor is None:
        return None
    if cursor.reply is not None:
        found, path, where = reply.at(cursor.reply), cursor.reply, "the reply"
    elif items:
        path, where = str(cursor.item), "the last item"
        found = at_pointer(read(items[-1].body, where), path)
    else:
        return None
    value = scalar(found)
    if value is None and (found is not None or cursor.item is not None):
        raise DecodeError(f"{where} has no text or number at {path}, where the cursor should stand")
    return value


def scalar(found: Any, longest: int = LONGEST) -> str | None:
    """A text or a number as text; None for all else. Raises DecodeError for one that is too long."""
    if isinstance(found, bool) or not isinstance(found, str | int | Decimal) or found == "":
        return None
    text = written_out(found) if isinstance(found, Decimal) else str(found)
    if len(text) > longest:
        raise DecodeError(f"found a cursor, token or name of {len(text)} characters; {longest} are the most")
    return text


def _next(answer: HttpResponse, reply: _Reply, options: NextOptions | None, url: str, first: str) -> str | None:
    if options is None:
        return None
    if options.token is not None:
        token = scalar(reply.at(options.token), LONGEST_NEXT)
        return with_parameter(first, str(options.parameter), token) if token is not None else None
    found = linked(answer.headers.get("link", "")) if options.link else scalar(reply.at(str(options.url)), LONGEST_NEXT)
    if found is None:
        return None
    try:
        return urljoin(url, found).partition("#")[0]
    except ValueError as error:
        raise DecodeError("the next page's URL is none") from error


def with_parameter(url: str, name: str, value: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{quote(name, safe='')}={quote(value, safe='')}"


def linked(header: str) -> str | None:
    """Where `rel=next` leads (RFC 8288)."""
    for link in LINK.finditer(header):
        rel = REL.search(link.group(2))
        if rel is not None and "next" in (rel.group(1) or rel.group(2) or "").lower().split():
            return link.group(1).strip()
    return None
