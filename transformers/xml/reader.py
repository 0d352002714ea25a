"""From the elements of a body to documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from hub.core.context import Context
from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.options.size import Size, parse_size
from hub.core.plugin import LINEAR, ReaderPlugin
from hub.core.ports import Body, Reading
from hub.mapping.canonical import BodyItem, Canonical, CanonicalOptions, kinds_of
from hub.mapping.json_text import SCHEMAS
from hub.mapping.site_template import TEMPLATES
from hub.mapping.xml_schema import XmlSchema
from transformers.xml.elements import ElementBounds, elements
from transformers.xml.node import XmlNode
from transformers.xml.stylesheet import Stylesheet

_STEP = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")


class XmlReaderOptions(CanonicalOptions):
    """What the body is, and how documents are made of it."""

    xslt: str | None = Field(
        None,
        description="An XSLT 1.0 of routes/templates; what it makes goes to the template, or is canonical JSON itself.",
    )
    checked_by: str | None = Field(
        None, alias="schema", description="An XML Schema (*.xsd) of routes/schemas that each document satisfies."
    )
    each: str | None = Field(
        None,
        description=(
            "The names of elements that lead from the root to those that are documents of their own: /o:Orders/o:Order."
        ),
    )
    namespaces: dict[str, str] = Field({}, description="The prefixes of `each` and of the template's XPaths.")
    largest: Size = Field("64MB", description="How large one document may be.")

    @model_validator(mode="after")
    def _makes_documents(self) -> XmlReaderOptions:
        if self.map is None and self.xslt is None:
            raise ValueError("say how documents are made of it: map: a template, or xslt: a stylesheet")
        steps(self.each, self.namespaces)
        return self


def steps(each: str | None, namespaces: Mapping[str, str]) -> tuple[str, ...]:
    """The names in Clark notation. Raises ValueError."""
    if each is None:
        return ()
    found = []
    for step in each.removeprefix("/").split("/"):
        match = _STEP.fullmatch(step)
        if match is None or not each.startswith("/"):
            raise ValueError(f"{each!r} should be names of elements from the root: /o:Orders/o:Order")
        if match[1] is not None and match[1] not in namespaces:
            raise ValueError(f"the prefix {match[1]!r} of {each} is not among `namespaces`")
        found.append(f"{{{namespaces[match[1]]}}}{match[2]}" if match[1] is not None else match[2])
    return tuple(found)


class XmlReader:
    """Reads the body as one document, or each of the elements at a path as one. One that can't be read spoils no other,
    unless the body isn't well-formed from there on."""

    def __init__(
        self,
        canonical: Canonical,
        bounds: ElementBounds,
        namespaces: Mapping[str, str],
        schema: XmlSchema | None,
        xslt: Stylesheet | None,
        mapped: bool,
    ) -> None:
        self._canonical, self._bounds, self._namespaces = canonical, bounds, namespaces
        self._schema, self._xslt, self._mapped = schema, xslt, mapped

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading with the position `()`, or one for each element."""
        return self._canonical.readings(self._read_items(body), headers, bool(self._bounds.each))

    def _read_items(self, body: Body) -> Iterator[BodyItem]:
        try:
            for element in elements(body.chunks(), self._bounds):
                try:
                    yield self._parse_record(element)
                except DecodeError as error:
                    yield BodyItem({}, error=error)
        except DecodeError as error:
            yield BodyItem({}, error=error)

    def _parse_record(self, element: Any) -> BodyItem:
        wrong = self._schema.wrong(element) if self._schema is not None else None
        if wrong is not None:
            raise DecodeError(wrong)
        made: Any = element
        if self._xslt is not None:
            if not self._mapped:
                return BodyItem({}, raw=self._xslt.text(element).encode())
            made = self._xslt.tree(element).getroot()
            if made is None:
                raise DecodeError("the stylesheet makes no element of it")
        node = XmlNode(made, self._namespaces)
        return BodyItem({"body": node, "xpath": node.text})


def _build(name: str, options: XmlReaderOptions, context: Context) -> XmlReader:
    return XmlReader(
        Canonical.of(options, context),
        ElementBounds(steps(options.each, options.namespaces), parse_size(options.largest)),
        options.namespaces,
        XmlSchema(options.checked_by, context.text) if options.checked_by else None,
        Stylesheet(options.xslt, context) if options.xslt else None,
        options.map is not None,
    )


def bounded_up_to(options: XmlReaderOptions) -> int:
    """A stylesheet may loop, and a schema compare each with each."""
    unbounded = options.xslt or options.checked_by or (options.map and options.each is not None)
    return 0 if unbounded else LINEAR


PLUGIN = ReaderPlugin(
    name="xml",
    options=XmlReaderOptions,
    summary="Reads a body that is one document in XML, or many of them, through a template or an XSLT of the site.",
    example=(
        "document: order@1\nmap: legacy-order.json.j2\nschema: legacy-order.xsd\neach: /o:Orders/o:Order\n"
        "namespaces: {o: 'urn:example:orders'}\n"
    ),
    build=_build,
    files={"map": TEMPLATES, "xslt": TEMPLATES, "checked_by": SCHEMAS},
    documents=kinds_of,
    bounded=bounded_up_to,
)
