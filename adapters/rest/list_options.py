"""The options of a list that is polled."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from adapters.rest.headers import checked_headers
from hub.core.options.cron import Expression, Zone
from hub.core.options.duration import Duration, seconds
from hub.core.options.form import Form
from hub.core.options.naming import names_in
from hub.core.options.window import WindowOptions
from hub.core.plugin import NO_SECRET, Options
from hub.mapping.json_list import check_pointer

CURSOR = "cursor"
SHORTEST = 0.05
"""Seconds: the smallest `every`."""


def pointer(value: str | None) -> str | None:
    """A JSON pointer (RFC 6901) to something inside. Raises ValueError."""
    if value is not None and (not value.startswith("/") or value == "/"):
        raise ValueError(f"{value!r} is no path to a value; write it as /id or /paging/next")
    return value


class CursorOptions(Options):
    """How far the list has been read: what stands in place of `{cursor}` with the next question."""

    start: str = Field(min_length=1, description="What stands there at first. A changed one begins anew.")
    item: str | None = Field(
        None,
        description="Where it stands in the last item: `/updated_at`. The list must be in its order, oldest first.",
    )
    reply: str | None = Field(None, description="Where it stands in the reply: `/as_of`.")

    @field_validator("item", "reply")
    @classmethod
    def inside(cls, value: str | None) -> str | None:
        return pointer(value)

    @model_validator(mode="after")
    def one_of(self) -> CursorOptions:
        if (self.item is None) == (self.reply is None):
            raise ValueError("a cursor stands in the `item` or in the `reply`: one of them")
        return self


class NextOptions(Options):
    """How a reply names its next page. Only pages of the same scheme, host and port are asked for."""

    link: bool = Field(False, description="By the header `Link: <...>; rel=next`.")
    url: str | None = Field(None, description="By a URL in the reply: `/links/next`.")
    token: str | None = Field(
        None,
        description="By a token in the reply, `/next_token`, which `parameter` carries.",
        json_schema_extra=NO_SECRET,
    )
    parameter: Annotated[str, Form(r"[A-Za-z0-9._\[\]-]+", "the name of a parameter, as in page_token")] | None = Field(
        None, description="The parameter for the token."
    )

    @field_validator("url", "token")
    @classmethod
    def inside(cls, value: str | None) -> str | None:
        return pointer(value)

    @model_validator(mode="after")
    def one_of(self) -> NextOptions:
        if sum((self.link, self.url is not None, self.token is not None)) != 1:
            raise ValueError("the next page is named by one of `link: true`, `url`, `token`")
        if (self.token is None) != (self.parameter is None):
            raise ValueError("`token` and `parameter` belong together")
        return self


class RestSourceOptions(Options):
    """A list, or one thing, that is asked for again and again."""

    endpoint: str = Field(description="The name of a `rest` endpoint.")
    call: str = Field(description="`GET /orders?since={cursor}&limit=100`.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send besides.")
    every: Duration | None = Field(None, description="How often to ask; varied by a tenth.")
    cron: Expression | None = Field(None, description="When to ask, in place of `every`: `0 6 * * MON-FRI`.")
    zone: Zone = Field("UTC", description="The time zone of `cron`: Europe/Berlin.")
    during: WindowOptions | None = Field(None, description="Ask only in these hours; without it always.")
    items: str | None = Field(
        None,
        description=(
            "Where the list stands: `/orders`, or `/` for a reply that is the list; each item is an arrival. Without it"
            " the whole reply is one."
        ),
    )
    id: str | None = Field(None, description="What an item is called by: `/id`.")
    cursor: CursorOptions | None = Field(None, description="How far it has been read, kept over restarts.")
    next: NextOptions | None = Field(None, description="How a reply names its next page; without it there is none.")
    pages: int = Field(100, ge=1, le=10_000, description="How many pages are asked for in a row, at most.")
    partner: str | None = Field(None, description="Whose list it is; a document that names another partner is refused.")

    @field_validator("call")
    @classmethod
    def a_question(cls, value: str) -> str:
        method, _, path = value.partition(" ")
        if method != "GET" or not path.startswith("/"):
            raise ValueError("call must be GET and a path that begins with /: GET /orders?since={cursor}")
        if not path.isprintable() or " " in path or "#" in path or "\\" in path:
            raise ValueError("the path of call holds a space, a #, a backslash or a control character")
        if unknown := set(names_in(path)) - {CURSOR}:
            raise ValueError(f"call knows no {{{min(unknown)}}}: there is no document yet, only {{cursor}}")
        return value

    @field_validator("headers")
    @classmethod
    def may_be_sent(cls, value: dict[str, str]) -> dict[str, str]:
        return checked_headers(value)

    @field_validator("items")
    @classmethod
    def a_list(cls, value: str | None) -> str | None:
        return value if value is None else check_pointer(value)

    @field_validator("id")
    @classmethod
    def inside(cls, value: str | None) -> str | None:
        return pointer(value)

    @field_validator("every")
    @classmethod
    def not_all_the_time(cls, value: str | None) -> str | None:
        if value is not None and seconds(value) < SHORTEST:
            raise ValueError("every must be 50ms at least")
        return value

    @model_validator(mode="after")
    def fits(self) -> RestSourceOptions:
        if (self.every is None) == (self.cron is None):
            raise ValueError("when to ask is said by one of `every` and `cron`")
        if (self.cursor is not None) != (CURSOR in names_in(self.call)):
            raise ValueError("a `cursor` and {cursor} in `call` belong together")
        if self.items is None and (self.id is not None or (self.cursor is not None and self.cursor.item is not None)):
            raise ValueError("`id` and `cursor: {item: ...}` need `items`, which says where the list stands")
        return self

    @property
    def path(self) -> str:
        return self.call.partition(" ")[2]
