"""XML of strangers: no document type, no entities, no network; depth, counts and lengths are bounded."""

from __future__ import annotations

from typing import Any

from lxml import etree

DEEPEST = 100
MOST_ELEMENTS = 500_000
MOST_ATTRIBUTES = 200
LONGEST_ATTRIBUTE = 100_000
"""Characters."""


class UnsafeXml(Exception):
    """Not XML, or more than anybody needs."""


def parsed(body: bytes) -> Any:
    """The root element. Raises UnsafeXml, which says where."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnsafeXml(f"this is no XML: {str(error)[:300]}") from None
    if root is None:
        raise UnsafeXml("this is no XML: it is empty")
    information = root.getroottree().docinfo
    if information.doctype or information.internalDTD is not None:
        raise UnsafeXml("a document type declaration is not taken")
    check_bounds(root)
    return root


def check_bounds(root: Any) -> None:
    elements, depth = 0, 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "end":
            continue
        elements += 1
        if depth > DEEPEST:
            raise UnsafeXml(f"line {element.sourceline}: more than {DEEPEST} elements stand in each other")
        if elements > MOST_ELEMENTS:
            raise UnsafeXml(f"there are more than {MOST_ELEMENTS} elements")
        if len(element.attrib) > MOST_ATTRIBUTES:
            raise UnsafeXml(f"line {element.sourceline}: more than {MOST_ATTRIBUTES} attributes")
        if any(len(value) > LONGEST_ATTRIBUTE for value in element.attrib.values()):
            raise UnsafeXml(f"line {element.sourceline}: an attribute of more than {LONGEST_ATTRIBUTE} characters")
