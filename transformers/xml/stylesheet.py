"""An XSLT 1.0 of the site, which reads and writes nothing beside what it is given, and ends.

libxslt ends a recursion that is too deep, but not one that is too wide, and lxml can't stop a transformation from
outside. So each template, each function and each turn of a loop begins with a step that is counted: the bound is one of
work, and the same everywhere.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from hub.core.context import Context
from hub.core.errors import ConfigError, DecodeError
from hub.mapping.site_template import TEMPLATES
from hub.mapping.xml_schema import site_xml

MOST_STEPS = 1_000_000
"""Templates and turns of loops for one document; about a second."""

LARGEST_OUTPUT = 64_000_000
"""Characters that it may make of one document."""

XSL = "{http://www.w3.org/1999/XSL/Transform}"
FUNCTIONS = "{http://exslt.org/functions}"
EVALUATING = "http://exslt.org/dynamic"
"""XPath that is made while the stylesheet runs: nothing in it can be counted."""

COUNTING = "urn:hub:counting"
_FIRST = (f"{XSL}param", f"{XSL}sort")
"""What stands before everything else in a template or a loop."""


class _TooMuchError(Exception):
    pass


class Stylesheet:
    """Each transformation counts for itself."""

    def __init__(self, name: str, context: Context) -> None:
        """Raises ConfigError."""
        self._name = name
        try:
            self._xslt = etree.XSLT(
                counted(site_xml(TEMPLATES, name, context.text)),
                access_control=etree.XSLTAccessControl.DENY_ALL,
                regexp=False,
                extensions={(COUNTING, "step"): step},
            )
        except (etree.XSLTParseError, ValueError) as error:
            raise ConfigError(f"{TEMPLATES}/{name}: {error}") from None

    def tree(self, element: Any) -> Any:
        """What it makes. Raises DecodeError."""
        try:
            return self._xslt(element)
        except _TooMuchError:
            raise DecodeError(
                f"{self._name}: more than {MOST_STEPS} templates and turns of loops; it is ended"
            ) from None
        except etree.XSLTError as error:
            raise DecodeError(f"{self._name}: {error}") from None

    def text(self, element: Any) -> str:
        """What it makes, as a text. Raises DecodeError."""
        made = str(self.tree(element)).strip()
        if len(made) > LARGEST_OUTPUT:
            raise DecodeError(f"{self._name}: it makes {len(made)} characters, more than {LARGEST_OUTPUT}")
        return made


def step(context: Any) -> bool:
    """Counts in what belongs to one transformation alone."""
    counts = context.eval_context
    counts["steps"] = counts.get("steps", 0) + 1
    if counts["steps"] > MOST_STEPS:
        raise _TooMuchError
    return False


def counted(tree: Any) -> Any:
    """The stylesheet, with a step at the beginning of each template, loop and function. Raises ValueError."""
    if any(EVALUATING in element.nsmap.values() for element in tree.iter("*")):
        raise ValueError(f"functions of {EVALUATING} aren't taken: nobody can bound what they do")
    for element in list(tree.iter(f"{XSL}template", f"{XSL}for-each", f"{FUNCTIONS}function")):
        at = 0
        while at < len(element) and (element[at].tag in _FIRST or not isinstance(element[at].tag, str)):
            at += 1
        first = etree.Element(f"{XSL}if", {"test": "counting:step()"}, nsmap={"counting": COUNTING})
        element.insert(at, first)
        if at:
            first.tail, element[at - 1].tail = element[at - 1].tail, None
        else:
            first.tail, element.text = element.text, None
    return tree
