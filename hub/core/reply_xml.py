"""XML that a far end sent, read safely: no document type, no entities, no network, bounded depth. Pure.

lxml is loaded with this module: it is imported where there is XML, and not before.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

DEEPEST = 200


def check_xpath(path: str) -> None:
    """Raises ValueError."""
    try:
        etree.XPath(path)
    except etree.XPathSyntaxError as error:
        raise ValueError(f"{path!r} is no XPath: {error}") from None


def safe_xml(raw: bytes) -> etree._Element | None:
    """The root element; None for what isn't XML, has a document type, or is nested too deeply. Entities are never resolved,
    nothing is ever fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.doctype or too_deep(root):
        return None
    return root


def too_deep(root: etree._Element) -> bool:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            return True
    return False


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
