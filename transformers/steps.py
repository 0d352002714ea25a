"""Steps that need nothing but the document and its facts: `filter`, `validate`, `map`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from hub.core.context import Context
from hub.core.errors import ConditionError, DecodeError, MappingError, RejectedError
from hub.core.plugin import LINEAR, Options, StepPlugin
from hub.core.routing.condition import Condition
from hub.core.step import Stepped
from hub.documents import Document, document_name, from_foreign_json, to_json
from hub.mapping.canonical import text_or_none
from hub.mapping.document_name import DocumentName
from hub.mapping.json_template import JsonTemplate
from hub.mapping.json_text import SCHEMAS, JsonCheck, parse_json
from hub.mapping.site_template import TEMPLATES, SiteTemplate


class FilterOptions(Options):
    """Which documents go on."""

    keep: str = Field(
        description=(
            "CEL over facts: documents for which it is true go on; the others end here, and `hub trace` says so."
        )
    )


class Filter:
    """Lets documents pass, or ends them."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises ConditionError where it can't be decided: that is never `false`."""
        return Stepped(document, "" if self._condition.holds(facts) else f"not {self._condition.source}")


class ValidateOptions(Options):
    """What must be true of a document."""

    that: dict[str, str] = Field({}, description="What must be so, in words, to CEL over facts that says it.")
    checked_by: str | None = Field(
        None, alias="schema", description="A JSON Schema of routes/schemas that the canonical JSON satisfies."
    )

    hold: str | None = Field(
        None, description="At a destination: documents that aren't so wait as this hold of config/policies.yaml."
    )

    @model_validator(mode="after")
    def _says_something(self) -> ValidateOptions:
        if not self.that and self.checked_by is None:
            raise ValueError("say what must be so: that: {the total is above zero: total > 0}, or a schema")
        return self


class Validate:
    """Refuses documents, or holds them, with everything that is wrong."""

    def __init__(self, conditions: Mapping[str, Condition], check: JsonCheck | None, hold: str | None = None) -> None:
        self._conditions, self._check, self._hold = conditions, check, hold

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises DecodeError with all findings, RejectedError where they are a reason to hold it."""
        findings = (_wrong(text, condition, facts) for text, condition in self._conditions.items())
        wrong = [finding for finding in findings if finding]
        found = self._check.wrong(parse_json(to_json(document))) if self._check is not None else None
        if found is not None:
            wrong.append(found)
        if wrong and self._hold is not None:
            raise RejectedError("; ".join(wrong), code="not_valid", hold=self._hold)
        if wrong:
            raise DecodeError("; ".join(wrong))
        return Stepped(document)


def _wrong(text: str, condition: Condition, facts: Mapping[str, Any]) -> str:
    try:
        return "" if condition.holds(facts) else f"not so: {text}"
    except ConditionError as error:
        return f"can't be decided: {text} ({error})"


class MapOptions(Options):
    """How a document becomes another."""

    template: JsonTemplate = Field(
        description=(
            "A template of routes/templates, named *.json.j2, that makes canonical JSON of `document` and `facts`."
        )
    )
    document: DocumentName | None = Field(
        None, description="What comes out, with its version: `order@1`; by default what goes in."
    )


class Map:
    """Makes a document of a document."""

    def __init__(self, template: SiteTemplate, document: str | None) -> None:
        self._template, self._document = template, document

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises MappingError and DecodeError."""
        text = self._template.render({"document": document, "facts": facts})
        try:
            return Stepped(from_foreign_json(text.encode(), self._document or document_name(document)))
        except DecodeError as error:
            raise DecodeError(f"what {self._template.name} makes of it: {error}") from None
        except UnicodeEncodeError:
            raise MappingError(f"what {self._template.name} makes of it is no text") from None


def _validate(name: str, options: ValidateOptions, context: Context) -> Validate:
    schema = text_or_none(context, SCHEMAS, options.checked_by)
    conditions = {text: Condition(source, context.facts) for text, source in options.that.items()}
    return Validate(conditions, JsonCheck(*schema) if schema else None, options.hold)


PLUGINS = (
    StepPlugin(
        name="filter",
        options=FilterOptions,
        summary=(
            "Lets documents go on for which a condition over facts is true; the others end, and are seen to have ended."
        ),
        example="keep: partner == 'ACME' && total >= 10\n",
        build=lambda name, options, context: Filter(Condition(options.keep, context.facts)),
        shorthand="keep",
        conditions=("keep",),
        bounded=lambda options: LINEAR,
    ),
    StepPlugin(
        name="validate",
        options=ValidateOptions,
        summary="Refuses documents of which something isn't so, or holds them: with everything that is wrong.",
        example="that: {the total is above zero: total > 0}\nschema: our-order.schema.json\n",
        build=_validate,
        files={"checked_by": SCHEMAS},
        conditions=("that",),
        holds=("hold",),
        bounded=lambda options: 0 if options.checked_by else LINEAR,
    ),
    StepPlugin(
        name="map",
        options=MapOptions,
        summary=(
            "Makes another document of the document, through a template of the site that may look into code tables."
        ),
        example="template: our-order.json.j2\n",
        build=lambda name, options, context: Map(
            SiteTemplate(options.template, context.text, context.work), options.document
        ),
        shorthand="template",
        files={"template": TEMPLATES},
        documents=lambda options: (options.document.partition("@")[0],) if options.document else (),
        bounded=lambda options: LINEAR,
    ),
)
