"""The step `split`: several documents of one, each of which goes its own way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from pydantic import Field, field_validator, model_validator

from hub.core.context import Context
from hub.core.errors import DecodeError, MappingError
from hub.core.plugin import LINEAR, Options, StepPlugin
from hub.core.step import SplitPart, Step, Stepped
from hub.documents import Document, document_name, from_json, to_json
from hub.mapping.document_name import DocumentName
from hub.mapping.field_path import NOTHING, at, known_list, known_path, no_such_field
from hub.mapping.json_template import JsonTemplate
from hub.mapping.json_text import parse_json
from hub.mapping.site_template import TEMPLATES, SiteTemplate

PLAIN = re.compile(r"[A-Za-z0-9_]{1,32}")

MOST = 10_000
"""Parts of one document."""

OF_THE_WHOLE = ("totals", "total", "extras")
"""What is so of the whole, and not of a part: sums that the sender states, and X12 segments that are kept by their
place."""

STATED = "TT"
"""The qualifier of an amount that is the stated total (X12: AMT)."""


class SplitOptions(Options):
    """Where a document is cut."""

    by: str | None = Field(
        None,
        description=(
            "A field of its lines, `lines.parties`: lines that are equal in it go together, in a document of their own."
        ),
    )
    template: JsonTemplate | None = Field(
        None,
        description="A template of routes/templates, named *.json.j2, that makes a JSON list of canonical documents.",
    )
    document: DocumentName | None = Field(
        None, description="With a template: what comes out, `order@1`; by default what goes in."
    )

    @field_validator("by")
    @classmethod
    def _field_of_a_list(cls, value: str | None) -> str | None:
        if value is not None:
            each, _, path = value.partition(".")
            if not known_list(each) or not path:
                raise ValueError(f"{value!r} is no field of a document's lines; write lines.unit, lines.products.VP")
            if not known_path(path, each):
                raise ValueError(f"{value!r} is no field of a document's lines: {no_such_field(path, each)}")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> SplitOptions:
        if (self.by is None) == (self.template is None):
            raise ValueError("say either `by` (a field of the lines) or `template`")
        if self.document is not None and self.template is None:
            raise ValueError("`document` belongs to `template`: what is cut stays what it was")
        return self


class SplitBy:
    """Cuts between lines. The parts stand in the order of their first lines. What the sender states of the
    whole is left out."""

    def __init__(self, by: str) -> None:
        self._each, _, self._path = by.partition(".")

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """A document of one part, or without lines, goes on as it is."""
        whole = parse_json(to_json(document))
        groups: dict[str, list[Any]] = {}
        for item in whole.get(self._each, ()):
            groups.setdefault(name_of(at(item, self._path)), []).append(item)
        if len(groups) < 2:
            return Stepped(document)
        for name in OF_THE_WHOLE:
            whole.pop(name, None)
        if amounts := whole.pop("amounts", None):
            whole["amounts"] = [amount for amount in amounts if amount.get("qualifier") != STATED]
        name = document_name(document)
        return Stepped(
            document,
            parts=tuple(
                SplitPart(key, make_document({**whole, self._each: items}, name)) for key, items in limited(groups)
            ),
        )


def name_of(value: Any) -> str:
    """The value itself where it is short and plain, so that a person knows the part by it; else its digest."""
    if value is NOTHING:
        return "no-value"
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    return "x" + sha256(repr(value).encode()).hexdigest()[:16]


def limited(groups: Mapping[str, list[Any]]) -> list[tuple[str, list[Any]]]:
    if len(groups) > MOST:
        raise MappingError(f"it would be cut into {len(groups)} documents, more than {MOST}")
    return list(groups.items())


class SplitTemplate:
    """Cuts as a template says."""

    def __init__(self, template: SiteTemplate, document: str | None) -> None:
        self._template, self._document = template, document

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises MappingError and DecodeError; a document that becomes none is an error: nothing disappears."""
        text = self._template.render({"document": document, "facts": facts})
        try:
            found = parse_json(text)
        except (ValueError, RecursionError) as error:
            raise MappingError(f"what {self._template.name} makes of it isn't JSON: {error}") from None
        if not isinstance(found, list) or not found:
            raise MappingError(f"{self._template.name} should make a JSON list of at least one document")
        if len(found) > MOST:
            raise MappingError(f"{self._template.name} makes {len(found)} documents of it, more than {MOST}")
        name = self._document or document_name(document)
        return Stepped(
            document, parts=tuple(SplitPart(str(n), make_document(one, name)) for n, one in enumerate(found, 1))
        )


def make_document(value: Any, name: str) -> Document:
    """The document that a JSON value is. Raises DecodeError."""
    try:
        return from_json(orjson.dumps(value, default=str), name)
    except DecodeError as error:
        raise DecodeError(f"a part of it: {error}") from None


def _split(name: str, options: SplitOptions, context: Context) -> Step:
    if options.template is not None:
        return SplitTemplate(SiteTemplate(options.template, context.text, context.work), options.document)
    return SplitBy(options.by or "")


PLUGIN = StepPlugin(
    name="split",
    options=SplitOptions,
    summary="Makes several documents of one: by a field of its lines, or through a template; each is routed by itself.",
    example="by: lines.unit\n",
    build=_split,
    shorthand="by",
    files={"template": TEMPLATES},
    documents=lambda options: (options.document.partition("@")[0],) if options.document else (),
    place="source",
    bounded=lambda options: LINEAR,
    keeps_number=lambda options: options.by is not None,
)
