"""A call of a REST endpoint as a destination."""

from __future__ import annotations

from pydantic import Field, field_validator

from adapters.rest.address import RestAddress
from adapters.rest.auth import TOKEN
from adapters.rest.endpoint import RestEndpoint
from adapters.rest.headers import OURS, checked_headers
from adapters.rest.request import headers_of, path_as_before, path_of
from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.options.naming import safe
from hub.core.options.secret_names import (
    parameter_names,
    with_parameters,
    without_credentials,
    without_secret_parameters,
)
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.core.replies.replies import ReplyRule, classify, paths_of
from hub.core.replies.reply import Reply, explained_by

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
WITHOUT_BODY = ("DELETE", "GET")


class RestDestinationOptions(Options):
    """A call of a REST endpoint. GET and DELETE send no body: what they ask for stands in path, query and headers."""

    endpoint: str = Field(description="The name of a `rest` endpoint.")
    call: str = Field(
        description="Method and path: `PUT /orders/{number}`. A fact is percent-encoded, as a part of one segment."
    )
    query: dict[str, str] = Field(
        default_factory=dict, description='Parameters: `region: "{ship_to_state}"`; values are encoded.'
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers to send besides; `{fact}` is substituted."
    )
    key_header: str = Field("Idempotency-Key", description="The header that carries the idempotency key.")

    @field_validator("call")
    @classmethod
    def method_and_path(cls, value: str) -> str:
        method, _, path = value.partition(" ")
        if method not in METHODS or not path.startswith("/"):
            raise ValueError(
                f"call must be a method ({', '.join(METHODS)}) and a path that begins with /: POST /orders"
            )
        if not path.isprintable() or " " in path or "#" in path or "\\" in path:
            raise ValueError("the path of call holds a space, a #, a backslash or a control character")
        return value

    @field_validator("key_header")
    @classmethod
    def header_name(cls, value: str) -> str:
        if not TOKEN.fullmatch(value) or value.lower() in OURS:
            raise ValueError("key_header must be the name of a header: letters, digits and hyphens")
        return value

    @field_validator("headers")
    @classmethod
    def may_be_sent(cls, value: dict[str, str]) -> dict[str, str]:
        return checked_headers(value)


class RestDestination:
    """Sends a document with its idempotency key, and reads the reply by the destination's `replies`."""

    def __init__(self, name: str, options: RestDestinationOptions, context: Context) -> None:
        self._name = name
        self._options = options
        self._endpoint = context.endpoint_of(RestEndpoint, options.endpoint)
        self._replies: tuple[ReplyRule, ...] = context.replies
        self._look, self._clock = context.look, context.clock
        self._method, _, path = options.call.partition(" ")
        self._path, self._secret_path = without_secret_parameters(path)
        self._query, self._secret_query = without_credentials(options.query)
        self._headers, self._secret_headers = without_credentials(options.headers)
        self._credentials = (
            *self._secret_headers,
            *self._endpoint.credentials,
            *parameter_names(self._secret_path),
            *self._secret_query,
        )

    def address(self, outgoing: Outgoing) -> RestAddress:
        headers = {**headers_of(self._headers, outgoing.facts), self._options.key_header: outgoing.key}
        if self._method not in WITHOUT_BODY:
            headers["Content-Type"] = outgoing.content_type
        if outgoing.correlation_id:
            headers["X-Correlation-ID"] = safe(outgoing.correlation_id)
        url = self._endpoint.url(outgoing.fixed_address or self.fix_address(outgoing))
        return RestAddress(method=self._method, url=url, headers=headers, credentials=self._credentials)

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """Path and query. See `hub.core.ports.Addressing`."""
        make = path_as_before if earlier else path_of
        return make(self._path, self._query, outgoing.facts)

    async def send(self, outgoing: Outgoing) -> Receipt:
        address, facts = self.address(outgoing), outgoing.facts
        secret = self._secret_path or self._secret_query
        query = path_of(self._secret_path, self._secret_query, facts) if secret else ""
        url = with_parameters(address.url, query)
        sent = {**address.headers, **headers_of(self._secret_headers, facts)}
        body = None if self._method in WITHOUT_BODY else outgoing.body
        answer = await self._endpoint.request(address.method, url, sent, body)
        reply = self._endpoint.blackened(answer.body)
        headers, now = self._endpoint.blackened_headers(answer.headers), read_utc(self._clock)
        with explained_by(Reply(answer.status, headers, reply, answer.cut)):
            content = await self._look(self._name, reply, paths_of(self._replies))
            return classify(answer.status, headers, reply, self._replies, now, content=content, cut=answer.cut)

    async def close(self) -> None:
        return None
