"""The elements of a list in a large JSON text, one after the other, in flat memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from hub.core.errors import DecodeError

LARGEST = 16 << 20
"""Bytes of one element."""

DEEPEST = 200
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(")?|[{}\[\],:]', re.DOTALL)
_DEEPER = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+[{}\[\]]', re.DOTALL)
"""Within an element only brackets count: up to the next one, over strings."""


def check_pointer(pointer: str) -> str:
    """A path of keys: `/orders`, `/data/orders`; `/` alone for a body that is the list. Raises ValueError."""
    if not pointer.startswith("/") or (pointer != "/" and "" in pointer[1:].split("/")):
        raise ValueError(f"{pointer!r} is no path to a list; write it as /orders, or / for a body that is the list")
    return pointer


def elements(chunks: Iterable[bytes], pointer: str, largest: int = LARGEST) -> Iterator[bytes]:
    """The bytes of each element of the list at the path, in their order; whether one is JSON is not looked at. Raises
    DecodeError, after those before it, when there is no such list, when the text breaks off, or when an element is too
    large."""
    path = [] if pointer == "/" else [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    return _Scan(chunks, path, pointer, largest).elements()


class _Scan:
    """Looks at brackets, commas and strings. `_keep` is where the element begins whose bytes are kept; None outside of
    the list."""

    def __init__(self, chunks: Iterable[bytes], path: list[str], pointer: str, largest: int) -> None:
        self._chunks = iter(chunks)
        self._path, self._pointer, self._largest = path, pointer, largest
        self._text, self._at, self._passed = b"", 0, 0
        self._keep: int | None = None
        self._open: list[tuple[bytes, str]] = []
        """The brackets that are open, each with the key within it that the scan is at."""
        self._named: set[int] = set()
        """At which depths a key has led on to the list."""

    def elements(self) -> Iterator[bytes]:
        inside, seen, string = 0, False, b""
        while (token := self._token()) is not None:
            first = token[:1]
            if first == b'"':
                string = token
            elif first in b"{[":
                if seen and not self._open:
                    raise DecodeError("something stands behind the JSON", offset=self._passed + self._at - 1)
                if not seen and first == b"[" and self._at_list():
                    seen, self._keep, inside = True, self._at, len(self._open) + 1
                self._push(first)
            elif first in b"}]":
                if len(self._open) == inside and self._keep is not None:
                    if first == b"]":
                        yield from self._last()
                    self._keep = None
                self._pop(first)
            elif first == b":":
                self._name(string)
            elif len(self._open) == inside and self._keep is not None:
                yield self._text[self._keep : self._at - 1].strip()
                self._keep = self._at
        if self._open:
            raise DecodeError("the JSON breaks off", offset=self._passed + len(self._text))
        if not seen:
            raise DecodeError(f"there is no list at {self._pointer}")

    def _last(self) -> Iterator[bytes]:
        """Before the list's end: an element, or nothing at all in an empty list."""
        text = self._text[self._keep : self._at - 1].strip()
        if text:
            yield text

    def _at_list(self) -> bool:
        return len(self._open) == len(self._path) and all(
            bracket == b"{" and key == wanted for (bracket, key), wanted in zip(self._open, self._path, strict=True)
        )

    def _push(self, bracket: bytes) -> None:
        if len(self._open) >= DEEPEST:
            raise DecodeError("the JSON is nested too deeply", offset=self._passed + self._at)
        self._open.append((bracket, ""))

    def _pop(self, bracket: bytes) -> None:
        if not self._open or self._open.pop()[0] != (b"{" if bracket == b"}" else b"["):
            raise DecodeError(
                f"found {bracket.decode()} where nothing of its kind is open", offset=self._passed + self._at - 1
            )

    def _name(self, string: bytes) -> None:
        if self._open and len(self._open) <= len(self._path) and self._keep is None:
            try:
                key = json.loads(string)
            except ValueError:
                key = ""
            self._open[-1] = (self._open[-1][0], str(key))
            self._note_way(len(self._open))

    def _note_way(self, depth: int) -> None:
        """Raises DecodeError where a key that leads to the list comes again: nobody knows which of them is meant."""
        on_the_way = all(
            bracket == b"{" and key == wanted
            for (bracket, key), wanted in zip(self._open, self._path[:depth], strict=True)
        )
        if on_the_way and depth in self._named:
            key = self._open[-1][1]
            raise DecodeError(f"the key {key[:80]!r} stands twice in an object", offset=self._passed + self._at)
        if on_the_way:
            self._named.add(depth)

    def _token(self) -> bytes | None:
        while True:
            if self._keep is not None and len(self._open) > len(self._path) + 1:
                if (deeper := _DEEPER.match(self._text, self._at)) is not None:
                    self._at = deeper.end()
                    return deeper[0][-1:]
                if not self._more(self._at):
                    return None
                continue
            found = _TOKEN.search(self._text, self._at)
            if found is not None and (found[0][:1] != b'"' or found[1]):
                self._at = found.end()
                return found[0]
            if not self._more(found.start() if found is not None else len(self._text)):
                if found is not None:
                    raise DecodeError("the JSON breaks off within a string", offset=self._passed + len(self._text))
                return None

    def _more(self, upto: int) -> bool:
        """Whether there was more. What stands before `upto` has been looked at; the rest is looked at again from its
        beginning. So as much is added as there is: the whole is looked at twice at most, and not once for each
        chunk."""
        self._forget(upto)
        pieces, size = [self._text], len(self._text)
        for chunk in self._chunks:
            pieces.append(chunk)
            size += len(chunk)
            if size >= 2 * len(self._text) or size > self._largest:
                break
        self._text = b"".join(pieces)
        return len(pieces) > 1

    def _forget(self, upto: int) -> None:
        """Drops what is not needed any more, and refuses to keep too much."""
        start = upto if self._keep is None else self._keep
        if len(self._text) - start > self._largest:
            raise DecodeError(
                f"more than {self._largest} bytes without an end; the rest is not read", offset=self._passed + start
            )
        self._text, self._at, self._passed = self._text[start:], upto - start, self._passed + start
        if self._keep is not None:
            self._keep = 0
