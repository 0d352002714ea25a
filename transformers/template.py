"""The writer `template`: a document through a Jinja2 template of the site, whose output is parsed and checked.

The template sees `document`, `facts`, `key`, `document_id` and `now`, runs in a sandbox, and an undefined name is an error.
What an expression gives is escaped for the format that the template's name says:

- `*.json.j2`: `"{{ document.number }}"` is safe within a JSON string; `{{ document.number | tojson }}` is a whole JSON
  value (a Decimal becomes a string of its digits); `{{ line.quantity | number }}` is a JSON number, digit by digit.
- `*.xml.j2`: `<Number>{{ document.number }}</Number>` is safe in text and attributes.

In both, None is an error: write what should stand there instead (`{{ x or "" }}`, `{{ x | tojson }}`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NoReturn

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator, FormatChecker, SchemaError
from jsonschema.exceptions import ValidationError, best_match
from pydantic import BaseModel, Field
from referencing import Registry

from hub.core.errors import ConfigError, MappingError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import WriteContext, Written
from hub.documents.base import EXACT, Document

TEMPLATES = "routes/templates"
SCHEMAS = "routes/schemas"
CONTENT_TYPES = {"json": "application/json", "xml": "application/xml", "text": "text/plain; charset=utf-8"}
_MISTAKES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class TemplateWriterOptions(Options):
    """Which template, and what its output must be."""

    template: str = Field(description="A file of routes/templates, named *.json.j2, *.xml.j2 or *.j2")
    checked_by: str | None = Field(
        default=None, alias="schema", description="A JSON Schema of routes/schemas that the output must satisfy"
    )
    content_type: str | None = Field(default=None, description="Of the output; by default what the name says")


class _Json(str):
    """Text that is JSON already."""

    __slots__ = ()


class TemplateWriter:
    """Writes a document with a template. The same document and context give the same bytes. Raises MappingError, which
    names the template's line or the field of the output."""

    def __init__(
        self,
        name: str,
        text: Callable[[str], str],
        schema: tuple[str, str] | None = None,
        content_type: str | None = None,
    ) -> None:
        """`text(name)` is the text of a template; `schema` a schema's name and text. Raises ConfigError."""
        self._name = name
        self._format = next((f for f in ("json", "xml") if name.endswith((f".{f}.j2", f".{f}"))), "text")
        self._content_type = content_type or CONTENT_TYPES[self._format]
        self._template = _compiled(name, self._format, text)
        if schema is not None and self._format != "json":
            raise ConfigError(f"{name}: a schema checks JSON; the template's name should end in .json.j2")
        self._schema = schema[0] if schema else ""
        self._validator = _validator(*schema) if schema else None

    def write(self, document: Document, context: WriteContext) -> Written:
        try:
            text = self._template.render(
                document=document,
                facts=context.facts,
                key=context.key,
                document_id=context.document_id,
                now=context.now,
            ).strip()
        except _MISTAKES as error:
            raise MappingError(f"{_place(error, self._name)}: {_said(error)}") from None
        if self._format == "json":
            self._check_json(text)
        elif self._format == "xml":
            _check_xml(self._name, text)
        return Written(text.encode("utf-8"), self._content_type)

    def _check_json(self, text: str) -> None:
        try:
            value = _parse(text)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise MappingError(f"the output of {self._name} isn't JSON: {error}{_near(text, error)}") from None
        if self._validator is None:
            return
        wrong = best_match(self._validator.iter_errors(value))
        if wrong is not None:
            raise MappingError(f"{_path(wrong)}: {_short(wrong.message)} (as {self._schema} wants it)")


def _compiled(name: str, kind: str, text: Callable[[str], str]) -> Template:
    def load(wanted: str) -> tuple[str, str, Callable[[], bool]] | None:
        try:
            return text(wanted), wanted, lambda: True
        except (OSError, LookupError, ConfigError):
            return None

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=kind == "xml",
        finalize=_in_json if kind == "json" else _present,
        auto_reload=False,
        keep_trailing_newline=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(tojson=_tojson, number=_number, fixed=_fixed)
    environment.globals.pop("lipsum", None)
    try:
        return environment.get_template(name)
    except TemplateSyntaxError as error:
        raise ConfigError(f"{error.name or name}: line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise ConfigError(f"the template {error} can't be read from {TEMPLATES}") from None


def _present(value: Any) -> Any:
    """What an expression may give outside of JSON: anything but None."""
    if value is None:
        raise ValueError("a value is missing (None); say what should stand there instead")
    return value


def _in_json(value: Any) -> Any:
    """What an expression gives within a JSON document: JSON as it is, anything else as the inside of a string."""
    if isinstance(value, _Json):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)
    text = str(_present(value))
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _tojson(value: Any, indent: int | None = None) -> _Json:
    """A whole JSON value. Decimals are strings of their digits, dates ISO, documents and their parts objects."""
    return _Json(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=_jsonable))


def _jsonable(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _number(value: Any) -> _Json:
    """A JSON number, digit by digit."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, Decimal))
        or (isinstance(value, Decimal) and not value.is_finite())
    ):
        raise TypeError(f"found {value!r}, expected a number")
    return _Json(format(value, "f") if isinstance(value, Decimal) else str(value))


def _fixed(value: Any, places: int = 2) -> Decimal:
    """An amount with that many decimals, half rounded up."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"found {value!r}, expected a number")
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def _parse(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"found {text}, which JSON doesn't have")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice in an object")
    return found


def _validator(name: str, text: str) -> Draft202012Validator:
    try:
        schema = _parse(text)
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ConfigError(f"{SCHEMAS}/{name}: {_path(error)}: {_short(error.message)}") from None
    except ValueError as error:
        raise ConfigError(f"{SCHEMAS}/{name} isn't JSON: {error}") from None
    return Draft202012Validator(schema, registry=Registry(), format_checker=FormatChecker())


def _check_xml(name: str, text: str) -> None:
    """Well-formed, and without a document type: that is where entities come from."""
    from lxml import etree  # type: ignore[import-untyped] # only sites that write XML need it

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise MappingError(f"the output of {name} isn't well-formed XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise MappingError(f"the output of {name} has a document type (DOCTYPE), which isn't allowed")


def _path(error: ValidationError | SchemaError) -> str:
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."


def _near(text: str, error: BaseException) -> str:
    at = getattr(error, "pos", None)
    return f": ...{text[max(0, at - 30) : at + 10]!r}..." if isinstance(at, int) else ""


def _place(error: BaseException, name: str) -> str:
    """`order.json.j2: line 7`: the innermost line of a template, this one or one that it includes."""
    place = name
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == name or file.endswith(".j2"):
            place = f"{file}: line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _said(error: BaseException) -> str:
    """A template's mistake as people say it: without the names of Python classes."""
    text = str(error) or type(error).__name__
    return text.replace("hub.documents.", "").replace(" object'", "'")


def _build(name: str, options: TemplateWriterOptions, context: Context) -> TemplateWriter:
    schema = (options.checked_by, context.text(SCHEMAS, options.checked_by)) if options.checked_by else None
    return TemplateWriter(
        options.template, lambda wanted: context.text(TEMPLATES, wanted), schema, options.content_type
    )


PLUGIN = Plugin(
    name="template",
    kind="writer",
    options=TemplateWriterOptions,
    summary="Writes a document with a Jinja2 template of the site; the output is parsed, and checked by a schema.",
    example="template: order-to-erp.json.j2\nschema: erp-order.schema.json\n",
    build=_build,
    shorthand="template",
    files={"template": TEMPLATES, "checked_by": SCHEMAS},
)
