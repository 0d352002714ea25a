"""An element as templates see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from lxml import etree

_MISSING = object()


class XmlNode:
    """Gives texts and elements by XPath 1.0, without extension functions. Nothing of it can be changed."""

    __slots__ = ("_element", "_namespaces")

    for_templates: ClassVar[frozenset[str]] = frozenset(("all", "has", "line", "name", "text"))
    """All that templates may reach."""

    def __init__(self, element: Any, namespaces: Mapping[str, str]) -> None:
        self._element, self._namespaces = element, namespaces

    def text(self, path: str, default: Any = _MISSING) -> Any:
        """What stands there first: the text of an element, of an attribute, or what a function gives. Raises
        LookupError where nothing does and no default is given, ValueError for what is no XPath."""
        found = self._at(path)
        if isinstance(found, list):
            if not found:
                if default is not _MISSING:
                    return default
                raise LookupError(f"there is nothing at {path} of {self.name} (line {self.line})")
            found = found[0]
        return text_of(found)

    def all(self, path: str) -> list[Any]:
        """All that stands there, in its order: elements as nodes, attributes and texts as texts."""
        found = self._at(path)
        if not isinstance(found, list):
            raise ValueError(f"{path} gives one value, not elements")
        return [XmlNode(one, self._namespaces) if isinstance(one, etree._Element) else str(one) for one in found]

    def has(self, path: str) -> bool:
        found = self._at(path)
        return bool(found)

    @property
    def name(self) -> str:
        return str(etree.QName(self._element).localname)

    @property
    def line(self) -> int:
        return int(self._element.sourceline or 0)

    def __str__(self) -> str:
        return text_of(self._element)

    def _at(self, path: str) -> Any:
        try:
            return self._element.xpath(path, namespaces=dict(self._namespaces), regexp=False)
        except (etree.XPathError, TypeError) as error:
            raise ValueError(f"{path!r} can't be evaluated: {error}") from None


def text_of(value: Any) -> str:
    if isinstance(value, etree._Element):
        return "".join(str(text) for text in value.itertext()).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
