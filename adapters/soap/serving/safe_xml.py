"""XML of strangers: no document type, no entities, no network; depth, counts and lengths are bounded while it is
parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from hub.core.replies.xml_parsing import SAFE, WITHOUT_REMARKS

DEEPEST = 100
MOST_ELEMENTS = 500_000
MOST_ATTRIBUTES = 200
MOST_NODES = 1_000_000
"""Elements, attributes and namespaces together."""

LONGEST_ATTRIBUTE = 100_000
"""Characters."""

PIECE = 1 << 15
"""Bytes between two looks at what the parser has made."""

FIRST_ELEMENT_WITHIN = 1 << 16
"""Bytes."""


class UnsafeXml(Exception):
    """Not XML, or more than anybody needs."""


def parsed(body: bytes) -> Any:
    """The root element. Raises UnsafeXml, which says where."""
    parser = parser_of_strangers()
    bounds = ParserBounds()
    try:
        for start in range(0, len(body), PIECE):
            parser.feed(body[start : start + PIECE])
            bounds.check(parser.read_events())
            if not bounds.elements and start + PIECE > FIRST_ELEMENT_WITHIN:
                raise UnsafeXml(f"no element begins within {FIRST_ELEMENT_WITHIN} bytes")
        root = parser.close()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnsafeXml(f"this is no XML: {str(error)[:300]}") from None
    bounds.check(parser.read_events())
    return root


def first_match(body: bytes, wanted: Callable[[Any], bool], unless: Callable[[Any], bool]) -> Any:
    """The first element, whole, that is `wanted`, of a body that may end anywhere. None: it is not whole, or another
    that is `unless` begins before it. Raises UnsafeXml."""
    parser = parser_of_strangers()
    bounds = ParserBounds()
    try:
        for start in range(0, len(body), PIECE):
            parser.feed(body[start : start + PIECE])
            for event, element in bounds.checked(parser.read_events()):
                if event == "start" and unless(element):
                    return None
                if event == "end" and wanted(element):
                    return element
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnsafeXml(f"this is no XML: {str(error)[:300]}") from None
    return None


def parser_of_strangers() -> Any:
    return etree.XMLPullParser(("start", "end", "start-ns"), **SAFE, **WITHOUT_REMARKS)


class ParserBounds:
    """Counts what a parser makes."""

    def __init__(self) -> None:
        self.elements = 0
        self._nodes = 0
        self._depth = 0

    def check(self, events: Any) -> None:
        """Raises UnsafeXml."""
        for _ in self.checked(events):
            pass

    def checked(self, events: Any) -> Iterator[tuple[str, Any]]:
        """The starts and ends of elements. Raises UnsafeXml."""
        for event, element in events:
            if event == "start":
                self._begins(element)
            elif event == "end":
                self._depth -= 1
            else:
                self._more(1)
                continue
            yield event, element

    def _begins(self, element: Any) -> None:
        self._depth += 1
        if not self.elements:
            check_document_type(element)
        self.elements += 1
        if self._depth > DEEPEST:
            raise UnsafeXml(f"line {element.sourceline}: more than {DEEPEST} elements stand in each other")
        if self.elements > MOST_ELEMENTS:
            raise UnsafeXml(f"there are more than {MOST_ELEMENTS} elements")
        attributes = element.attrib
        if len(attributes) > MOST_ATTRIBUTES:
            raise UnsafeXml(f"line {element.sourceline}: more than {MOST_ATTRIBUTES} attributes")
        if any(len(value) > LONGEST_ATTRIBUTE for value in attributes.values()):
            raise UnsafeXml(f"line {element.sourceline}: an attribute of more than {LONGEST_ATTRIBUTE} characters")
        self._more(1 + len(attributes))

    def _more(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise UnsafeXml(f"there are more than {MOST_NODES} elements, attributes and namespaces")


def check_document_type(root: Any) -> None:
    information = root.getroottree().docinfo
    if information.doctype or information.internalDTD is not None:
        raise UnsafeXml("a document type declaration is not taken")
