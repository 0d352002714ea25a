"""The step `enrich`: puts into a document what another system, or a table of the site, knows of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol

import orjson
from pydantic import Field, field_validator, model_validator

from hub.core.duration import Duration, seconds
from hub.core.errors import ConfigError, DecodeError, MappingError, RejectedError
from hub.core.exact_number import written_out
from hub.core.naming import PLACE, names_in, render
from hub.core.plugin import Context, Look, Options, Plugin
from hub.core.ports import Asking
from hub.core.reply_body import NOTHING as NOTHING_THERE
from hub.core.reply_body import check_path, look_here
from hub.core.step import Stepped
from hub.documents import Document, document_name, from_json, to_json
from hub.mapping.code_table import TABLES, CodeTable
from hub.mapping.field_path import NOTHING, at, known_field, known_list, known_path, no_such_field, put
from hub.mapping.json_text import parse_json
from hub.runtime.answer_cache import AnswerCache
from hub.runtime.limit import Limit

VOLATILE = frozenset(("price", "prices", "quantity", "quantities", "amount", "amounts", "on_hand", "available"))
"""Names of fields that say what something costs, or how much of it there is."""


class EnrichOptions(Options):
    """Whom it asks, and what of the answer goes where."""

    endpoint: str | None = Field(None, description="The name of a `rest` endpoint to ask.")
    call: str | None = Field(
        None, description="What is asked there: GET and a path with query, {names} and {facts} in it."
    )
    table: str | None = Field(None, description="Instead of an endpoint: a CSV file of config/tables.")
    key: str | None = Field(None, description="Of a table: what stands in its first column, {names} and {facts} in it.")
    each: str | None = Field(None, description="A list of the document, `lines`: asks for each of its items.")
    names: dict[str, str] = Field(
        {}, description="Names for `call` and `key`: of fields of the document, or of each item: {item: products.VP}."
    )
    put: dict[str, str] = Field(
        alias="set",
        min_length=1,
        description="Field of the document, or of each item, to where its value stands: a path into the answer, /name, or a column of the table.",
    )
    missing: Literal["refuse", "keep"] = Field(
        "refuse",
        description="Where nothing is known (404, no such row, no value there): refuse the document, or keep it as it is.",
    )
    cache: Duration | None = Field(None, description="How old an answer may be; without it each document asks anew.")
    cache_volatile: bool = Field(False, description="true: prices and quantities too may be that old.")

    @field_validator("call")
    @classmethod
    def _asks(cls, value: str | None) -> str | None:
        method, _, path = (value or "GET /").partition(" ")
        if method != "GET" or not path.startswith("/"):
            raise ValueError(f"{value!r} is no question; write GET /customers/{{customer}}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> EnrichOptions:
        if (self.endpoint is None) == (self.table is None):
            raise ValueError("say whom to ask: either `endpoint` or `table`")
        if self.endpoint is not None and (self.call is None or self.key is not None):
            raise ValueError("an endpoint is asked by a `call`: GET /customers/{customer}")
        if self.table is not None and self.key is None:
            raise ValueError("a table is asked by a `key`, which stands in its first column: key: '{partner}'")
        if self.table is not None and (self.call is not None or self.cache is not None):
            raise ValueError("a table needs no `call` and no `cache`: it is read with the site")
        if self.each is not None and not known_list(self.each):
            raise ValueError(f"no document has a list {self.each!r}; write lines")
        for path in (*self.names.values(), *self.put):
            if not known_path(path, self.each):
                raise ValueError(no_such_field(path, self.each))
        for path in self.put:
            if not known_field(path, self.each):
                raise ValueError(
                    f"set: {path!r} is a list, or says what the document is; write a field with a value of its own"
                )
        self._check_answers()
        return self

    def _check_answers(self) -> None:
        for field, place in self.put.items():
            if self.endpoint is not None:
                check_path(place)
            if self.cache is not None and not self.cache_volatile and VOLATILE & set(field.split(".")):
                raise ValueError(f"{field} changes from hour to hour: leave out `cache`, or say cache_volatile: true")


class Lookup(Protocol):
    """Finds the values for the fields: those that are known. None: nothing is known at all. `said` is what it asked, for people.
    Raises TransientError, RejectedError and MappingError."""

    async def find(self, facts: Mapping[str, Any]) -> Answer | None: ...

    def question(self, facts: Mapping[str, Any]) -> str: ...


class Answer:
    """What is known: values by field. `at` is when it was said (seconds of the hub's clock)."""

    __slots__ = ("at", "values")

    def __init__(self, values: Mapping[str, Any], at: float) -> None:
        self.values, self.at = values, at


class TableLookup:
    """A row of a table of the site."""

    def __init__(self, table: CodeTable, key: str, fields: Mapping[str, str]) -> None:
        self._table, self._key, self._fields = table, key, fields

    def question(self, facts: Mapping[str, Any]) -> str:
        return f"{self._table.name} {plainly(self._key, facts)}"

    async def find(self, facts: Mapping[str, Any]) -> Answer | None:
        row = self._table.rows.get(plainly(self._key, facts))
        return Answer({field: row[column] for field, column in self._fields.items()}, 0.0) if row is not None else None


class RestLookup:
    """What an endpoint answers. Questions wait for their turn within its limit, and are asked once for what is asked at once."""

    def __init__(
        self,
        endpoint: Asking,
        limit: Limit | None,
        options: EnrichOptions,
        cache: AnswerCache[Answer | None],
        clock: Callable[[], float] = time.time,
        look: Look = look_here,
        name: str = "enrich",
    ) -> None:
        self._endpoint, self._limit, self._options, self._cache, self._clock = endpoint, limit, options, cache, clock
        self._look, self._name = look, name

    def question(self, facts: Mapping[str, Any]) -> str:
        return f"{self._options.endpoint} GET {plainly((self._options.call or '').partition(' ')[2], facts)}"

    async def find(self, facts: Mapping[str, Any]) -> Answer | None:
        values = tuple(fact_text(facts, name) for name in names_in(self._options.call or ""))
        return await self._cache.get(values, lambda: self._ask(facts))

    async def _ask(self, facts: Mapping[str, Any]) -> Answer | None:
        call = self._options.call or ""
        try:
            if self._limit is None:
                receipt = await self._endpoint.ask(call, facts)
            else:
                async with self._limit.turn():
                    receipt = await self._endpoint.ask(call, facts)
        except RejectedError as error:
            if error.status in (404, 410):
                return None
            raise
        body = await self._look(self._name, receipt.reply, tuple(self._options.put.values()))
        if body.wrong:
            raise RejectedError(f"the answer could not be looked into: {body.wrong}", receipt.status, "unclear")
        values = {field: body.at(place) for field, place in self._options.put.items()}
        known = {f: v for f, v in values.items() if v is not NOTHING_THERE and v is not None}
        return Answer(known, self._clock())


class Enrich:
    """Asks, and puts the answers into the document. What differs from the answer is overwritten."""

    def __init__(self, options: EnrichOptions, lookup: Lookup, clock: Callable[[], float] = time.time) -> None:
        self._options, self._lookup, self._clock = options, lookup, clock

    async def ask_about(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        """Raises TransientError, RejectedError, and DecodeError for an answer that doesn't fit into the document."""
        options = self._options
        whole = await asyncio.to_thread(lambda: parse_json(to_json(document)))
        parts = [whole] if options.each is None else whole.get(options.each, [])
        answers = await asyncio.gather(*(self._answer(part, facts) for part in parts))
        for number, (part, answer) in enumerate(zip(parts, answers, strict=True), 1):
            where = f"{options.each} {number}: " if options.each else ""
            self._put(part, answer, where)
        try:
            name = document_name(document)
            made = await asyncio.to_thread(lambda: from_json(orjson.dumps(whole, default=str), name))
        except DecodeError as error:
            raise DecodeError(f"the answer doesn't fit into the document: {error}") from None
        return Stepped(made if made != document else document, said=self._said(answers))

    async def _answer(self, part: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[str, Answer | None]:
        named = {name: at(part, path) for name, path in self._options.names.items()}
        missing = [self._options.names[name] for name, value in named.items() if value is NOTHING or value == ""]
        if missing:
            return f"{missing[0]}, which isn't there", None
        asked = {**facts, **{name: text_of(value) for name, value in named.items()}}
        return self._lookup.question(asked), await self._lookup.find(asked)

    def _put(self, part: dict[str, Any], found: tuple[str, Answer | None], where: str) -> None:
        question, answer = found
        for field in self._options.put:
            if answer is not None and field in answer.values:
                put(part, field, text_of(answer.values[field]))
            elif self._options.missing == "refuse":
                what = f"a value for {field}" if answer is not None else "an answer"
                raise MappingError(f"{where}there is no {what.removeprefix('a ').removeprefix('an ')} to {question}")

    def _said(self, found: list[tuple[str, Answer | None]]) -> str:
        """`erp GET /customers/17`, and how old the oldest answer is."""
        asked = list(dict.fromkeys(question for question, _ in found))
        shown = ", ".join(asked[:3]) + (f" and {len(asked) - 3} more" if len(asked) > 3 else "")
        ages = [self._clock() - answer.at for _, answer in found if answer is not None and answer.at]
        old = f", {max(ages):.0f}s old" if ages and max(ages) >= 1 else ""
        unknown = sum(answer is None for _, answer in found)
        return f"asked {shown or 'nothing'}{old}" + (f", {unknown} unknown" if unknown else "")


def plainly(template: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts as they are: as a key, and for people. Raises MappingError for one that has no value."""
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


def _enrich(name: str, options: EnrichOptions, context: Context) -> Enrich:
    lookup: Lookup
    if options.table is not None:
        table = CodeTable.of(options.table, context.text(TABLES, options.table))
        for column in options.put.values():
            if column not in table.columns:
                columns = ", ".join(table.columns)
                raise ConfigError(f"set: the table {table.name} has no column {column!r}; it has {columns}")
        lookup = TableLookup(table, options.key or "", options.put)
    else:
        endpoint = options.endpoint or ""
        age = seconds(options.cache) if options.cache else 0.0
        lookup = RestLookup(
            context.endpoint(endpoint), context.limit(endpoint), options, AnswerCache(age), look=context.look, name=name
        )
    return Enrich(options, lookup)


PLUGIN = Plugin(
    name="enrich",
    kind="step",
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
    asks=lambda options: options.endpoint is not None,
)
