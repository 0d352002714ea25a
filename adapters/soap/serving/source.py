"""A source that serves SOAP: contract first, each call an arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.soap.serving.call import CallTerms, SoapCall
from adapters.soap.serving.contract import ServedContract
from adapters.soap.serving.envelope import headers_in, read_envelope, version_of
from adapters.soap.serving.fault import SoapFault, fault_response
from adapters.soap.serving.names import CONTENT_TYPES, Version
from adapters.soap.serving.options import SoapSourceOptions
from adapters.soap.serving.replies import SoapReplies
from adapters.soap.serving.security_options import ServingSecurityOptions
from adapters.soap.serving.username_token import SECURITY, UsernameToken, UsernameTokens, WrongSecret
from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.network.failures import FailedAccounts
from hub.core.network.problem import problem
from hub.core.network.rate import Rate
from hub.core.network.sampling import SampledLog
from hub.core.network.web import SENDERS, Admitted, FirstLook, Mount, WebListener, WebRequest, WebResponse
from hub.core.options.size import parse_size
from hub.core.ports import Body, Take

FOLDER = "routes/schemas"
IN_THREAD = 1 << 18
"""Bytes of a body above which it is read by a thread, so that the event loop stays free."""


class SoapSource:
    """Mounted on its endpoint while it runs. A call is answered without a fault once the intake has taken its
    payload."""

    def __init__(self, name: str, options: SoapSourceOptions, listener: WebListener, context: Context) -> None:
        self._name = name
        self._clock = context.clock
        self._options = options
        self._listener = listener
        self._log = SampledLog(context.log, context.clock.monotonic)
        self._accounts = FailedAccounts(context.clock.monotonic)
        self._before_token = parse_size(options.before_token)
        self._contract = ServedContract(options.wsdl, context.site / FOLDER, options.operations)
        try:
            answers_fit(self._contract, options)
        except ConfigError as error:
            raise ConfigError(f"source {name}: {error.text}", hint=error.hint) from None
        security = options.security
        self._rate = Rate(options.limit, context.clock.monotonic)
        self._tokens = UsernameTokens(security, context.clock) if isinstance(security, ServingSecurityOptions) else None
        template = context.text("routes/templates", options.acceptance) if options.acceptance is not None else None
        replies = SoapReplies(self._contract, template)
        self._terms = CallTerms(
            name, options, replies, context.repetitions(SENDERS), context.outcomes, context.log, context.clock
        )

    async def run(self, take: Take) -> None:
        async def begin(request: WebRequest) -> WebResponse | Admitted:
            version = version_of(request)
            if version is None:
                return problem(415, detail=f"taken are: {', '.join(CONTENT_TYPES.values())}")
            look = FirstLook(self._before_token, lambda first: self._first_look(request, version, first))
            return Admitted(
                lambda body: self._answer(request, version, body, take), look=look if self._tokens is not None else None
            )

        path = self._options.path
        mounts = (Mount("POST", path, begin, about(self._name, self._options)), Mount("GET", path, self._describe))
        await self._listener.mount(*mounts)
        try:
            await asyncio.Event().wait()
        finally:
            await self._listener.unmount(*mounts)

    async def _describe(self, request: WebRequest) -> WebResponse:
        """`?wsdl`, and the files that it imports: `?xsd=name`."""
        asked = {name.lower(): value for name, value in request.query.items()}
        if "wsdl" in asked:
            return WebResponse(200, self._contract.described(self._listener.url(self._options.path)), "text/xml")
        file = self._contract.schemas.files.get(asked.get("xsd", ""))
        return WebResponse(200, file, "text/xml") if file is not None else problem(404)

    async def _answer(self, request: WebRequest, version: Version, body: Body, take: Take) -> WebResponse:
        try:
            call = await self._in_thread(body, lambda raw: self._call(request, version, raw))
            return await call.answer(take)
        except SoapFault as fault:
            return self._refused(request, version, fault)

    async def _first_look(self, request: WebRequest, version: Version, first: bytes) -> WebResponse | None:
        """The token, before more of the message is read than has to be."""
        tokens = self._tokens
        if tokens is None:
            return None
        headers = headers_in(first, version)
        if headers is None:
            if len(first) < self._before_token:
                return None  # that is all of it: it is refused as a whole
            text = f"the Header of the envelope does not end within {self._options.before_token}"
            return self._refused(request, version, SoapFault("sender", text))
        user = tokens.user(headers)
        await self._clock.sleep(self._accounts.delay(user))
        try:
            tokens.check(headers)
        except SoapFault as fault:
            if isinstance(fault.__cause__, WrongSecret):
                self._accounts.failed(user)
            return self._refused(request, version, fault)
        return None

    def _refused(self, request: WebRequest, version: Version, fault: SoapFault) -> WebResponse:
        why = str(fault.__cause__ or fault)
        self._log.warning("call_refused", source=self._name, peer=request.peer, why=why[:500])
        return replace(fault_response(version, fault), wrong_secret=isinstance(fault.__cause__, WrongSecret))

    async def _in_thread(self, body: Body, work: Any) -> SoapCall:
        raw = b"".join(body.chunks())
        call: SoapCall = await asyncio.to_thread(work, raw) if len(raw) > IN_THREAD else work(raw)
        return call

    def _call(self, request: WebRequest, version: Version, raw: bytes) -> SoapCall:
        """In this order, so that a stranger learns nothing of the contract's inside. Raises SoapFault."""
        asked = read_envelope(request, version, raw)
        asked.check_understood({SECURITY} if self._tokens is not None else ())
        token = self._tokens.check(asked.headers) if self._tokens is not None else UsernameToken("", "")
        self._check_rate(token, len(raw))
        operation = self._contract.operation(asked.payload, asked.action)
        self._contract.check(asked.payload)
        return SoapCall(self._terms, version, operation, asked.canonical(), token)

    def _check_rate(self, token: UsernameToken, size: int) -> None:
        """Raises SoapFault. A call is counted for whom its token names."""
        wait = self._rate.wait(token.name)
        if wait:
            raise SoapFault("receiver", f"too many calls; come again in {wait} seconds", retry_after=wait)
        largest = self._rate.largest(token.name)
        if largest is not None and size > largest:
            raise SoapFault("sender", f"the message is larger than {largest} bytes")


def answers_fit(contract: ServedContract, options: SoapSourceOptions) -> None:
    """Raises ConfigError for an operation that answers otherwise than `reply` says."""
    for operation in contract.operations.values():
        if (operation.answer is None) != (options.reply == "one-way"):
            told = f"answers with {operation.answer}" if operation.answer else "answers with nothing"
            text = f"by {options.wsdl} {operation.name} {told}: `reply: {options.reply}` doesn't fit"
            raise ConfigError(text, hint="choose another `reply`, or name the operations that it fits")


def about(name: str, options: SoapSourceOptions) -> Mapping[str, Any]:
    """In the words of OpenAPI, as far as it has any for this."""
    return {
        "summary": f"SOAP 1.1 and 1.2, for {name}. The contract: {options.path}?wsdl.",
        "requestBody": {"required": True, "content": {one: {"schema": {}} for one in CONTENT_TYPES.values()}},
        "responses": {"200": {"description": "The answer."}, "500": {"description": "A fault."}},
    }
