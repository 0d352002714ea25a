"""The step `enrich`: puts into a document what another system, or a table of the site, knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import orjson

from adapters.enrich.answer_cache import AnswerCache
from adapters.enrich.options import EnrichOptions
from adapters.enrich.rest_lookup import RestLookup
from hub.core.context import Context
from hub.core.errors import ConfigError, DecodeError, MappingError
from hub.core.exact_number import written_out
from hub.core.options.duration import seconds
from hub.core.options.naming import PLACE, names_in, render
from hub.core.plugin import LINEAR, StepPlugin
from hub.core.ports import Asking
from hub.core.step import Answer, AskingStep, Question, Step, Stepped
from hub.documents import Document, document_name, from_json, to_json
from hub.mapping.code_table import TABLES, CodeTable
from hub.mapping.field_path import NOTHING, at, put
from hub.mapping.json_text import parse_json


@dataclass(frozen=True, slots=True)
class PartAsked:
    """A part of the document for which something is to be found. `text` is the question, for people; `facts` are what
    it is made of, None: a field that it needs isn't there."""

    part: dict[str, Any]
    text: str
    facts: Mapping[str, Any] | None


class Enrichment:
    """Finds the questions about a document, and puts the answers into it. What differs from the answer is overwritten.
    `shown` is how a question begins, `template` how it goes on."""

    def __init__(self, options: EnrichOptions, shown: str, template: str) -> None:
        self._options, self._shown, self._template = options, shown, template

    def parts(self, document: Document, facts: Mapping[str, Any]) -> tuple[dict[str, Any], list[PartAsked]]:
        """The document as JSON has it, and its parts. Raises MappingError for a fact that has no value."""
        whole = parse_json(to_json(document))
        each = self._options.each
        return whole, [self._ask_for(part, facts) for part in ([whole] if each is None else whole.get(each, []))]

    def _ask_for(self, part: dict[str, Any], facts: Mapping[str, Any]) -> PartAsked:
        named = {name: at(part, path) for name, path in self._options.names.items()}
        missing = [self._options.names[name] for name, value in named.items() if value is NOTHING or value == ""]
        if missing:
            return PartAsked(part, f"{missing[0]}, which isn't there", None)
        known = {**facts, **{name: text_of(value) for name, value in named.items()}}
        return PartAsked(part, f"{self._shown} {plainly(self._template, known)}", known)

    def made(
        self, document: Document, whole: dict[str, Any], found: Sequence[tuple[PartAsked, Answer | None]]
    ) -> Stepped:
        """Raises MappingError where nothing is known, DecodeError for an answer that doesn't fit into the document."""
        options = self._options
        for number, (asked, answer) in enumerate(found, 1):
            self._put(asked, answer, f"{options.each} {number}: " if options.each else "")
        try:
            made = from_json(orjson.dumps(whole, default=str), document_name(document))
        except DecodeError as error:
            raise DecodeError(f"the answer doesn't fit into the document: {error}") from None
        return Stepped(made if made != document else document, said=self._describe(found))

    def _put(self, asked: PartAsked, answer: Answer | None, where: str) -> None:
        for field in self._options.put:
            if answer is not None and field in answer.values:
                put(asked.part, field, text_of(answer.values[field]))
            elif self._options.missing == "refuse":
                what = f"value for {field}" if answer is not None and answer.known else "answer"
                raise MappingError(f"{where}there is no {what} to {asked.text}")

    def _describe(self, found: Sequence[tuple[PartAsked, Answer | None]]) -> str:
        """`erp GET /customers/17`, and how old the oldest answer is."""
        texts = list(dict.fromkeys(asked.text for asked, _ in found))
        shown = ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
        age = max((answer.age for _, answer in found if answer is not None and answer.known), default=0.0)
        old = f", {age:.0f}s old" if age >= 1 else ""
        unknown = sum(answer is None or not answer.known for _, answer in found)
        return f"asked {shown or 'nothing'}{old}" + (f", {unknown} unknown" if unknown else "")


class EnrichFromTable:
    """Looks into a table of the site."""

    def __init__(self, options: EnrichOptions, table: CodeTable) -> None:
        self._enrichment = Enrichment(options, table.name, options.key or "")
        self._table, self._key, self._fields = table, options.key or "", options.put

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        whole, parts = self._enrichment.parts(document, facts)
        return self._enrichment.made(document, whole, [(asked, self._look_up(asked.facts)) for asked in parts])

    def _look_up(self, facts: Mapping[str, Any] | None) -> Answer | None:
        row = self._table.rows.get(plainly(self._key, facts)) if facts is not None else None
        return Answer({field: row[column] for field, column in self._fields.items()}) if row is not None else None


class EnrichFromEndpoint:
    """Asks an endpoint, once for each part that has all that the question needs."""

    def __init__(self, options: EnrichOptions, lookup: RestLookup) -> None:
        call = options.call or ""
        self._enrichment = Enrichment(options, f"{options.endpoint} GET", call.partition(" ")[2])
        self._lookup, self._names = lookup, names_in(call)

    def questions(self, document: Document, facts: Mapping[str, Any]) -> list[Question]:
        _, parts = self._enrichment.parts(document, facts)
        return [self._question(asked.facts) for asked in parts if asked.facts is not None]

    async def ask(self, questions: Sequence[Question]) -> list[Answer]:
        return await self._lookup.find_all(questions)

    def answered(self, document: Document, facts: Mapping[str, Any], answers: Sequence[Answer]) -> Stepped:
        whole, parts = self._enrichment.parts(document, facts)
        coming = iter(answers)
        found = [(asked, next(coming) if asked.facts is not None else None) for asked in parts]
        return self._enrichment.made(document, whole, found)

    def _question(self, facts: Mapping[str, Any]) -> Question:
        return {name: fact_text(facts, name) for name in self._names}


def plainly(template: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts as they are: as a key, and for people. Raises MappingError for one that has no
    value."""
    missing = next((name for name in names_in(template) if facts.get(name) in (None, "")), None)
    if missing is not None:
        render(template, facts)  # says which
    return PLACE.sub(lambda place: fact_text(facts, place[1]), template)


def fact_text(facts: Mapping[str, Any], name: str) -> str:
    """A fact as it stands in a question."""
    found = facts.get(name, "")
    return str(found).lower() if isinstance(found, bool) else str(found)


def text_of(value: Any) -> Any:
    """A number of the answer as canonical JSON has it: exact, as text."""
    if isinstance(value, Decimal):
        return written_out(value)
    return str(value) if not isinstance(value, str | bool | list | dict) else value


def _enrich(name: str, options: EnrichOptions, context: Context) -> Step | AskingStep:
    if options.table is not None:
        table = CodeTable.of(options.table, context.text(TABLES, options.table))
        for column in options.put.values():
            if column not in table.columns:
                columns = ", ".join(table.columns)
                raise ConfigError(f"set: the table {table.name} has no column {column!r}; it has {columns}")
        return EnrichFromTable(options, table)
    endpoint = options.endpoint or ""
    age = seconds(options.cache) if options.cache else 0.0
    lookup = RestLookup(
        cast(Asking, context.endpoint(endpoint)),
        context.limit(endpoint),
        options,
        AnswerCache(age, context.clock.monotonic),
        context.clock,
        context.look,
        name,
    )
    return EnrichFromEndpoint(options, lookup)


PLUGIN = StepPlugin(
    name="enrich",
    options=EnrichOptions,
    summary="Puts into a document what another system, asked over HTTP, or a table of the site knows of it.",
    example=(
        "endpoint: erp\ncall: GET /customers/{partner}/items/{item}\neach: lines\nnames: {item: products.VN}\n"
        "set: {products.IN: /sku}\nmissing: keep\ncache: 1h\n"
    ),
    build=_enrich,
    files={"table": TABLES},
    endpoint=("endpoint", "rest"),
    fact_templates=("call", "key"),
    own_names=lambda options: options.names,
    bounded=lambda options: LINEAR,
)
