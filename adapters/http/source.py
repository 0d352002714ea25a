"""A source that is posted to: who sends, what it gets for an answer, and how it asks later."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.http.about import about_post, about_status, security_of
from adapters.http.auth_options import AuthOptions
from adapters.http.authentication import AuthenticatedSender, Authentication, SenderRefused
from adapters.http.posting import Posting, PostingTerms
from adapters.http.reading import idempotency_key
from adapters.http.signature import Signed
from adapters.http.source_options import HttpSourceOptions
from adapters.http.status import status_answer
from hub.core.context import Context
from hub.core.errors import JournalUnavailable
from hub.core.network.failures import FailedAccounts
from hub.core.network.problem import problem
from hub.core.network.rate import Rate
from hub.core.network.sampling import SampledLog
from hub.core.network.web import LONGEST_WINDOW, SENDERS, Admitted, Mount, WebListener, WebRequest, WebResponse
from hub.core.ports import Body, Take


class HttpSource:
    """Mounted on its endpoint while it runs. A request is answered with success once the intake has taken its
    documents."""

    def __init__(self, name: str, options: HttpSourceOptions, listener: WebListener, context: Context) -> None:
        self._name = name
        self._options = options
        self._listener = listener
        self._log = SampledLog(context.log, context.clock.monotonic)
        self._accounts = FailedAccounts(context.clock.monotonic)
        self._outcomes, self._clock = context.outcomes, context.clock
        auth = options.auth if isinstance(options.auth, AuthOptions) else None
        self._authentication = Authentication(auth, context.site, context.clock)
        self._rate = Rate(options.limit, context.clock.monotonic)
        self._terms = PostingTerms(
            name,
            options,
            context.repetitions(name),
            context.repetitions(SENDERS),
            context.outcomes,
            context.spool,
            context.log,
            context.clock,
        )

    async def run(self, take: Take) -> None:
        security = security_of(self._options)

        async def begin(request: WebRequest) -> WebResponse | Admitted:
            await self._slow_down(request)
            return self._begin(request, take)

        mounts = (
            Mount(self._options.method, self._options.path, begin, about_post(self._name, self._options), security),
            Mount("GET", "/status/{id}", self._status, about_status(self._options), security, shared=True),
        )
        await self._listener.mount(*mounts)
        try:
            await asyncio.Event().wait()
        finally:
            await self._listener.unmount(*mounts)

    async def _slow_down(self, request: WebRequest) -> None:
        """Before a password is compared, right or wrong, when others for the same user were wrong."""
        delay = self._accounts.delay(self._authentication.account(request))
        if delay:
            await self._clock.sleep(delay)

    def _begin(self, request: WebRequest, take: Take) -> WebResponse | Admitted:
        """In the order in which a refusal costs least and tells least."""
        found = self._authentication.sender(request)
        if isinstance(found, SenderRefused):
            return self._refused(request, found)
        if request.content_type not in self._options.accept:
            return problem(415, detail=f"taken are: {', '.join(self._options.accept)}")
        key = idempotency_key(request) if self._options.idempotent else ""
        if key is None:
            return problem(400, detail="an Idempotency-Key has 1 to 255 visible ASCII characters")
        if isinstance(found, Signed):
            return Admitted(lambda body: self._signed(request, key, found, body, take))
        return self._admitted(request, key, found, take)

    def _admitted(
        self, request: WebRequest, key: str, sender: AuthenticatedSender, take: Take
    ) -> WebResponse | Admitted:
        wait = self._rate.wait(sender.name)
        if wait:
            self._log.warning("rate_exceeded", source=self._name, sender=sender.name, peer=request.peer)
            return problem(429, retry_after=wait)
        posting = Posting(self._terms, request, key, sender, take)
        return Admitted(posting.answer, self._rate.largest(sender.name))

    async def _signed(self, request: WebRequest, key: str, signed: Signed, body: Body, take: Take) -> WebResponse:
        """The body has come, and says who has signed it; a signature is good for once."""
        name = await asyncio.to_thread(signed.sender, body)
        if not name:
            return self._refused(request, SenderRefused(401, "wrong signature"))
        admitted = self._admitted(request, key, self._authentication.named(name), take)
        if isinstance(admitted, WebResponse):
            return admitted
        if admitted.largest is not None and body.size > admitted.largest:
            return problem(413, detail=f"the body is larger than {admitted.largest} bytes")
        repeated = SenderRefused(401, "a signature that was used before")
        return await self._terms.once(
            f"signature:{name}:{signed.signature}", 2 * LONGEST_WINDOW, lambda: admitted.take(body)
        ) or self._refused(request, repeated)

    async def _status(self, request: WebRequest) -> WebResponse | Admitted:
        await self._slow_down(request)
        found = self._authentication.sender(request)
        if isinstance(found, Signed):
            name = found.sender(EMPTY_BODY)
            found = self._authentication.named(name) if name else SenderRefused(401, "wrong signature")
        if isinstance(found, SenderRefused):
            return self._refused(request, found)
        try:
            return await status_answer(self._outcomes, self._name, request.values["id"], found.partner)
        except JournalUnavailable:
            return problem(503, retry_after=5)

    def _refused(self, request: WebRequest, refused: SenderRefused) -> WebResponse:
        """Without a word to the client about what was wrong."""
        self._log.warning("sender_refused", source=self._name, peer=request.peer, why=refused.why)
        account = self._authentication.account(request) if refused.guess else ""
        if account:
            self._accounts.failed(account)
        made = problem(refused.status)
        challenge = self._authentication.challenge
        headers = {"WWW-Authenticate": challenge} if refused.status == 401 and challenge else {}
        return WebResponse(made.status, made.body, made.content_type, headers, refused.guess)


class _Nothing:
    size = 0

    def chunks(self, size: int = 1) -> Any:
        return iter(())


EMPTY_BODY: Body = _Nothing()
