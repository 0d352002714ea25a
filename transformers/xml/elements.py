"""The elements of an XML body that are documents, one after the other, in flat memory, within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from hub.core.errors import DecodeError
from hub.core.replies.xml_parsing import SAFE, WITHOUT_REMARKS

DEEPEST = 200
MOST_ATTRIBUTES = 1000
LONGEST_ATTRIBUTE = 1 << 20
LONGEST_PROLOG = 1 << 16
MOST_OUTSIDE = 10_000
"""Elements that belong to no document: the head of a file, not its content."""

MOST_ELEMENTS = 1_000_000
"""Elements of one document."""

PIECE = 1 << 14
_DOCTYPE = re.compile(rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ElementBounds:
    """`each` are the names, in Clark notation, that lead from the root to a document; empty: the root is one."""

    each: tuple[str, ...] = ()
    largest: int = 64_000_000


def elements(chunks: Iterable[bytes], bounds: ElementBounds) -> Iterator[Any]:
    """Each is whole while the next is not yet asked for, and stands where it stood: its ancestors are there. Raises
    DecodeError, after those before it, for what isn't XML, has a document type or passes a bound."""
    return _Pull(bounds).elements(chunks)


class _Pull:
    def __init__(self, bounds: ElementBounds) -> None:
        self._bounds = bounds
        self._parser = etree.XMLPullParser(("start", "end"), **SAFE, **WITHOUT_REMARKS)
        self._path: list[str] = []
        self._prolog = b""
        self._inside = False
        self._size = self._outside = self._count = 0

    def elements(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        try:
            for chunk in chunks:
                for start in range(0, len(chunk), PIECE):
                    yield from self._fed(chunk[start : start + PIECE])
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            said = str(error.msg or "it is empty").replace(", use XML_PARSE_HUGE option", "")
            raise DecodeError(f"not XML: {said.replace(', try XML_PARSE_HUGE', '')}") from None
        self._no_document_type(root)
        yield from self._parse_records()

    def _fed(self, piece: bytes) -> Iterator[Any]:
        if not self._path and not self._outside and not self._inside:
            self._look(piece)
        try:
            self._parser.feed(piece)
        except etree.XMLSyntaxError:
            if (
                self._bounds.each
            ):  # those that stand before it in the same piece; a body that is one document is refused whole
                yield from self._parse_records()
            raise
        self._size += len(piece)
        if self._size > self._bounds.largest:
            raise DecodeError(f"a document of more than {self._bounds.largest} bytes; the rest is not read")
        yield from self._parse_records()

    def _look(self, piece: bytes) -> None:
        """Before the first element: a document type is refused before it can declare anything."""
        self._prolog += piece.replace(b"\0", b"")
        if _DOCTYPE.match(self._prolog[: LONGEST_PROLOG + PIECE]):
            raise DecodeError("it has a document type (DOCTYPE), which isn't allowed")
        if len(self._prolog) > LONGEST_PROLOG:
            raise DecodeError(f"no element within the first {LONGEST_PROLOG} bytes")

    def _parse_records(self) -> Iterator[Any]:
        for event, element in self._parser.read_events():
            if event == "start":
                self._begin(element)
            elif self._end(element):
                yield element
                release(element)

    def _begin(self, element: Any) -> None:
        if not self._path:
            self._no_document_type(element)
        self._path.append(element.tag)
        if len(self._path) > DEEPEST:
            raise DecodeError(f"elements nested more than {DEEPEST} deep (line {element.sourceline})")
        if len(element.attrib) > MOST_ATTRIBUTES or any(len(v) > LONGEST_ATTRIBUTE for v in element.attrib.values()):
            raise DecodeError(
                f"line {element.sourceline}: an element with more than {MOST_ATTRIBUTES} attributes, or one of more"
                f" than {LONGEST_ATTRIBUTE} characters"
            )
        if self._is_document():
            self._inside, self._size, self._count = True, 0, 0
        elif self._inside:
            self._count += 1
            if self._count > MOST_ELEMENTS:
                raise DecodeError(f"a document of more than {MOST_ELEMENTS} elements; the rest is not read")
        else:
            self._outside += 1
            if self._outside > MOST_OUTSIDE:
                raise DecodeError(f"more than {MOST_OUTSIDE} elements that are not below {'/'.join(self._bounds.each)}")

    def _end(self, element: Any) -> bool:
        """Whether a document is whole now."""
        whole = self._is_document()
        self._path.pop()
        if whole:
            self._inside, self._size = False, 0
        return whole

    def _is_document(self) -> bool:
        each = self._bounds.each
        return len(self._path) == (len(each) or 1) and (not each or tuple(self._path) == each)

    def _no_document_type(self, element: Any) -> None:
        if element.getroottree().docinfo.doctype:
            raise DecodeError("it has a document type (DOCTYPE), which isn't allowed")


def release(element: Any) -> None:
    """Gives up an element that was read, and what stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)
