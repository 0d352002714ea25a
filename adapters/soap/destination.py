"""An operation of a SOAP server as a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from adapters.soap.address import SoapAddress
from adapters.soap.calls.reply import SoapReply, pieces_of, reply_from
from adapters.soap.endpoint import Posted, SoapEndpoint
from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.errors import DecodeError, TransientError
from hub.core.options.naming import safe
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.core.replies.replies import ReplyRule, classify, paths_of
from hub.core.replies.reply import Reply, explained_by

if TYPE_CHECKING:
    from adapters.soap.calls.contract import CalledOperation

XML = "application/xml"


class SoapDestinationOptions(Options):
    """An operation to call. What `write` makes is the operation's element (XML), or its arguments (JSON, by name)."""

    endpoint: str = Field(description="The name of a `soap` endpoint.")
    operation: str = Field(min_length=1, description="The operation, as the WSDL calls it.")
    key_header: str = Field("Idempotency-Key", description="The HTTP header that carries the idempotency key.")

    @field_validator("key_header")
    @classmethod
    def header_name(cls, value: str) -> str:
        if not value.isascii() or not value.replace("-", "").replace("_", "").isalnum():
            raise ValueError("key_header must be the name of a header: letters, digits and hyphens")
        return value


class SoapDestination:
    """Calls the operation, and reads the reply by the destination's `replies`: a fault is looked at like a reply of
    REST. The receipt's reply is the element in the body, with its attachments in it."""

    def __init__(
        self,
        name: str,
        options: SoapDestinationOptions,
        endpoint: SoapEndpoint,
        operation: CalledOperation,
        context: Context,
    ) -> None:
        self._name = name
        self._options = options
        self._endpoint = endpoint
        self._operation = operation
        self._replies: tuple[ReplyRule, ...] = context.replies
        self._look, self._apart = context.look, context.apart

    def address(self, outgoing: Outgoing) -> SoapAddress:
        headers = {self._options.key_header: outgoing.key}
        if outgoing.correlation_id:
            headers["X-Correlation-ID"] = safe(outgoing.correlation_id)
        return SoapAddress(
            url=self._endpoint.url,
            operation=self._operation.name,
            headers={**headers, **self._endpoint.headers(self._operation)},
            credentials=self._endpoint.credentials,
        )

    async def send(self, outgoing: Outgoing) -> Receipt:
        endpoint, address = self._endpoint, self.address(outgoing)
        posted = await endpoint.call(address, self._operation, outgoing.body, outgoing.content_type)
        headers = {name: endpoint.blackened(value) for name, value in posted.headers.items()}
        posted = Posted(posted.status, headers, endpoint.blackened_bytes(posted.body))
        with explained_by(Reply(posted.status, posted.headers, posted.body)):  # also by a page in place of an answer
            return await self._classified(posted)

    async def _classified(self, posted: Posted) -> Receipt:
        reply = await self._read(posted)
        names = {**posted.headers, "content-type": XML} if reply.payload else posted.headers
        said = f"{reply.fault[-1]}: {reply.text}" if reply.fault else None
        now = read_utc(self._endpoint.clock)
        content = await self._look(self._name, reply.payload, paths_of(self._replies))
        return classify(
            posted.status, names, reply.payload, self._replies, now, fault=reply.fault, said=said, content=content
        )

    async def _read(self, posted: Posted) -> SoapReply:
        """Raises TransientError(failed) for garbage in place of an answer; an error's own page is only looked at by its
        status."""
        ok = 200 <= posted.status < 300
        if ok and not posted.body.strip() and (posted.status == 202 or not self._operation.answers):
            return SoapReply()
        try:
            kind = posted.headers.get("content-type", "")
            return reply_from(await self._apart(self._name, len(posted.body), pieces_of, posted.body, kind))
        except DecodeError as error:
            if ok:
                raise TransientError(f"{self._operation.name}: {error}", "failed") from error
            return SoapReply()

    async def close(self) -> None:
        return None
