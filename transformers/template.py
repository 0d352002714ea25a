"""The writer `template`: a document through a Jinja2 template of the site, whose output is parsed and checked.

The template sees `document`, `facts`, `key`, `document_id` and `now`, runs in a sandbox, and an undefined name is an
error. What an expression gives is escaped for the format that the template's name says:

- `*.json.j2`: `"{{ document.number }}"` is safe within a JSON string; `{{ document.number | tojson }}` is a whole JSON
  value (a Decimal becomes a string of its digits); `{{ line.quantity | number }}` is a JSON number, digit by digit.
- `*.xml.j2`: `<Number>{{ document.number }}</Number>` is safe in text and attributes.

Further filters: `fixed(2)`, `decimal(",")`, `parse_date("%d.%m.%Y")`, `parse_time(form, zone)`,
`format_date(form, zone)`, `table("uom")` (a code table of config/tables), `pad(10)`, `cut(10)`, `gtin`, `check_digit`.

In both, None is an error: write what should stand there instead (`{{ x or "" }}`, `{{ x | tojson }}`).
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from hub.core.context import Context
from hub.core.errors import ConfigError, MappingError
from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.core.plugin import LINEAR, Options, WriterPlugin
from hub.core.ports import WriteContext, Written
from hub.core.replies.xml_parsing import SAFE
from hub.documents.base import Document
from hub.mapping.json_text import SCHEMAS, JsonCheck, parse_json
from hub.mapping.site_template import TEMPLATES, SiteTemplate

CONTENT_TYPES = {"json": "application/json", "xml": "application/xml", "text": "text/plain; charset=utf-8"}


class TemplateWriterOptions(Options):
    """Which template, and what its output must be."""

    template: str = Field(description="A file of routes/templates, named *.json.j2, *.xml.j2 or *.j2")
    checked_by: str | None = Field(
        default=None,
        alias="schema",
        description="What the output must satisfy: a JSON Schema of routes/schemas, or an XML Schema (*.xsd)",
    )
    content_type: str | None = Field(default=None, description="Of the output; by default what the name says")


class TemplateWriter:
    """Writes a document with a template. The same document and context give the same bytes. Raises MappingError, which
    names the template's line or the field of the output."""

    def __init__(
        self,
        name: str,
        text: Callable[[str], str],
        schema: tuple[str, str] | None = None,
        content_type: str | None = None,
        site: Callable[[str, str], str] | None = None,
        bounds: WorkBounds = DEFAULT_BOUNDS,
    ) -> None:
        """`text(name)` is the text of a template, `site(folder, name)` that of any file it needs; `schema` a schema's
        name and text. Raises ConfigError."""

        def read(folder: str, wanted: str) -> str:
            return text(wanted) if folder == TEMPLATES or site is None else site(folder, wanted)

        self._template = SiteTemplate(name, read, bounds)
        self._content_type = content_type or CONTENT_TYPES[self._template.format]
        self._json = self._xml = None
        if schema is not None and self._template.format == "xml" and schema[0].endswith(".xsd"):
            from hub.mapping.xml_schema import XmlSchema  # only sites that write XML need it

            self._xml = XmlSchema(schema[0], read)
        elif schema is not None and self._template.format == "json":
            self._json = JsonCheck(*schema)
        elif schema is not None:
            raise ConfigError(
                f"{name}: a schema checks JSON, an .xsd XML; the template's name should end in .json.j2 or .xml.j2"
            )

    def write(self, document: Document, context: WriteContext) -> Written:
        text = self._template.render(
            {
                "document": document,
                "facts": context.facts,
                "key": context.key,
                "document_id": context.document_id,
                "now": context.now,
            }
        )
        if self._template.format == "json":
            self._check_json(text)
        elif self._template.format == "xml":
            self._check_xml(text)
        return Written(text.encode("utf-8"), self._content_type)

    def _check_json(self, text: str) -> None:
        try:
            value = parse_json(text)
        except (ValueError, ArithmeticError, RecursionError) as error:
            name = self._template.name
            raise MappingError(f"the output of {name} isn't JSON: {error}{_near(text, error)}") from None
        wrong = self._json.wrong(value) if self._json is not None else None
        if wrong is not None:
            raise MappingError(wrong)

    def _check_xml(self, text: str) -> None:
        """Well-formed, and without a document type: that is where entities come from."""
        from lxml import etree  # only sites that write XML need it

        name = self._template.name
        parser = etree.XMLParser(**SAFE)
        try:
            root = etree.fromstring(text.encode("utf-8"), parser)
        except etree.XMLSyntaxError as error:
            raise MappingError(f"the output of {name} isn't well-formed XML: {error.msg}") from None
        if root.getroottree().docinfo.doctype:
            raise MappingError(f"the output of {name} has a document type (DOCTYPE), which isn't allowed")
        wrong = self._xml.wrong(root) if self._xml is not None else None
        if wrong is not None:
            raise MappingError(f"the output of {name}: {wrong}")


def _near(text: str, error: BaseException) -> str:
    at = getattr(error, "pos", None)
    return f": ...{text[max(0, at - 30) : at + 10]!r}..." if isinstance(at, int) else ""


def _build(name: str, options: TemplateWriterOptions, context: Context) -> TemplateWriter:
    schema = (options.checked_by, context.text(SCHEMAS, options.checked_by)) if options.checked_by else None
    return TemplateWriter(
        options.template,
        lambda wanted: context.text(TEMPLATES, wanted),
        schema,
        options.content_type,
        context.text,
        context.work,
    )


PLUGIN = WriterPlugin(
    name="template",
    options=TemplateWriterOptions,
    summary="Writes a document with a Jinja2 template of the site; the output is parsed, and checked by a schema.",
    example="template: order-to-erp.json.j2\nschema: erp-order.schema.json\n",
    build=_build,
    shorthand="template",
    files={"template": TEMPLATES, "checked_by": SCHEMAS},
    bounded=lambda options: 0 if options.checked_by else LINEAR,
)
