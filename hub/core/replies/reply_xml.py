"""XML that a far end sent, read safely: no document type, no entities, no network; depth, elements and attributes are
counted while it is parsed. Pure.

lxml is loaded with this module: it is imported where there is XML, and not before.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from hub.core.replies.xml_parsing import SAFE, WITHOUT_REMARKS

DEEPEST = 200
MOST_ELEMENTS = 500_000
MOST_ATTRIBUTES = 1000
PIECE = 1 << 15
"""Bytes between two looks at what the parser has made."""


class TooMuchXml(ValueError):
    """It passes a bound."""


def check_xpath(path: str) -> None:
    """Raises ValueError."""
    try:
        etree.XPath(path)
    except etree.XPathSyntaxError as error:
        raise ValueError(f"{path!r} is no XPath: {error}") from None


def safe_xml(raw: bytes) -> etree._Element | None:
    """The root element; None for what `bounded_xml` refuses."""
    try:
        return bounded_xml(raw)
    except ValueError:
        return None


def bounded_xml(raw: bytes) -> etree._Element:
    """The root element. Entities are never resolved, nothing is ever fetched. Raises ValueError for what isn't XML or
    has a document type, and TooMuchXml, as soon as it is seen, for what passes a bound."""
    parser = etree.XMLPullParser(("start", "end"), **SAFE, **WITHOUT_REMARKS)
    bounds = _Bounds()
    try:
        for start in range(0, len(raw), PIECE):
            parser.feed(raw[start : start + PIECE])
            bounds.check(parser.read_events())
        root: etree._Element = parser.close()
    except etree.XMLSyntaxError as error:
        bounds.check(parser.read_events())
        raise ValueError(f"it is no XML: {error}") from None
    bounds.check(parser.read_events())
    return root


class _Bounds:
    """Counts what a parser makes."""

    def __init__(self) -> None:
        self._elements = self._depth = 0

    def check(self, events: Any) -> None:
        for event, element in events:
            if event == "end":
                self._depth -= 1
                continue
            if not self._elements and element.getroottree().docinfo.doctype:
                raise ValueError("it has a document type")
            self._elements += 1
            self._depth += 1
            if self._elements > MOST_ELEMENTS:
                raise TooMuchXml(f"it has more than {MOST_ELEMENTS} elements")
            if self._depth > DEEPEST:
                raise TooMuchXml(f"its elements are nested more than {DEEPEST} deep")
            if len(element.attrib) > MOST_ATTRIBUTES:
                raise TooMuchXml(f"an element of it has more than {MOST_ATTRIBUTES} attributes")


def without_namespaces(root: etree._Element) -> etree._Element:
    for element in root.iter("*"):
        element.tag = etree.QName(element).localname
        for name in [name for name in element.attrib if str(name).startswith("{")]:
            element.attrib[etree.QName(name).localname] = element.attrib.pop(name)
    return root


def at_xpath(root: etree._Element, path: str) -> Any:
    """What stands there first: the text of an element, of an attribute, or a value; None where nothing does."""
    try:
        found = root.getroottree().xpath(path) if path else root
    except etree.XPathError:
        return None
    first = next(iter(found), None) if isinstance(found, list) else found
    return "".join(str(text) for text in first.itertext()).strip() if isinstance(first, etree._Element) else first
