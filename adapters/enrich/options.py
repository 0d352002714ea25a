"""The options of the step `enrich`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from hub.core.options.duration import Duration
from hub.core.plugin import Options
from hub.core.replies.reply_body import check_path
from hub.mapping.field_path import known_field, known_list, known_path, no_such_field

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
        description=(
            "Field of the document, or of each item, to where its value stands: a path into the answer, /name, or a"
            " column of the table."
        ),
    )
    missing: Literal["refuse", "keep"] = Field(
        "refuse",
        description=(
            "Where nothing is known (404, no such row, no value there): refuse the document, or keep it as it is."
        ),
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
    def _check_combination(self) -> EnrichOptions:
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
