"""One request that was let in: its arrivals, and the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from adapters.http.answering import UNTOLD, ending_answer
from adapters.http.authentication import AuthenticatedSender
from adapters.http.parts import MultipartFile, parts_of
from adapters.http.reading import digest_of, values_of
from adapters.http.source_options import HttpSourceOptions
from hub.core.clock import Clock
from hub.core.errors import DecodeError, JournalUnavailable, TransientError
from hub.core.identity import message_id
from hub.core.log import Log
from hub.core.message import JSON
from hub.core.network.problem import problem
from hub.core.network.web import Repetitions, WebRequest, WebResponse
from hub.core.options.duration import seconds
from hub.core.outcome import ARRIVAL, Outcomes
from hub.core.ports import Arrival, Body, Take, Taken
from hub.core.routing.given_facts import take_given

COME_AGAIN = 5
"""Seconds after which a client may try again when broker or journal are away."""


@dataclass(frozen=True, slots=True)
class PostingTerms:
    """What all requests of a source share. `once_only` is shared with all other sources."""

    source: str
    options: HttpSourceOptions
    repetitions: Repetitions
    once_only: Repetitions
    outcomes: Outcomes
    spool: Path
    log: Log
    clock: Clock

    async def once(self, key: str, keep: float, work: Callable[[], Awaitable[WebResponse]]) -> WebResponse | None:
        """The answer of the work; None when the key was taken, by whichever source. A key whose work came to nothing is
        free again."""
        try:
            if await self.once_only.begin(key, "", keep) is not None:
                return None
        except JournalUnavailable as error:
            return self.away(error)
        return await self.kept(self.once_only, key, work)

    async def kept(self, repetitions: Repetitions, key: str, work: Callable[[], Awaitable[WebResponse]]) -> WebResponse:
        """The key is ours: it remembers the answer, or is given back."""
        answer: WebResponse | None = None
        try:
            answer = await work()
        finally:
            await asyncio.shield(self._settle(repetitions, key, answer))
        return answer

    async def _settle(self, repetitions: Repetitions, key: str, answer: WebResponse | None) -> None:
        try:
            if answer is None or answer.status >= 500:
                await repetitions.free(key)
            else:
                await repetitions.finish(key, answer)
        except JournalUnavailable as error:
            self.log.warning("answer_not_kept", source=self.source, error=str(error))

    def away(self, error: Exception) -> WebResponse:
        self.log.warning("not_taken", source=self.source, error=str(error) or type(error).__name__)
        after = error.retry_after if isinstance(error, TransientError) else None
        return problem(503, detail="nothing was taken; send it again", retry_after=max(1, int(after or COME_AGAIN)))


@dataclass(frozen=True, slots=True)
class Posting:
    """`key` is the Idempotency-Key, empty: none."""

    terms: PostingTerms
    request: WebRequest
    key: str
    sender: AuthenticatedSender
    take: Take

    async def answer(self, body: Body) -> WebResponse:
        digest = await digest_of(body)
        if not self.key:
            return await self._answer(body, digest)
        fingerprint = f"{digest}|{self.request.path}{queried(self.request)}"
        key = f"{self.sender.name}|{self.key}"
        terms = self.terms
        try:
            earlier = await terms.repetitions.begin(key, fingerprint, seconds(terms.options.remember))
        except JournalUnavailable as error:
            return terms.away(error)
        if earlier is None:
            return await terms.kept(terms.repetitions, key, lambda: self._answer(body, digest))
        if earlier.fingerprint != fingerprint:
            return problem(422, "key-reused", "this Idempotency-Key came before, with another body or address")
        if earlier.answer is None and not earlier.in_work:
            detail = "the process that has the first request with this key has fallen silent; send it again"
            return problem(503, detail=detail, retry_after=COME_AGAIN)
        return earlier.answer or problem(409, "in-work", "the first request with this key is in work", retry_after=1)

    async def _answer(self, body: Body, digest: str) -> WebResponse:
        salt = "|".join((self.sender.name, self.key)) if self.sender.name or self.key else ""
        facts = take_given(self.terms.options.facts, values_of(self.request))
        whole = Arrival(self.terms.source, body, facts=facts, salt=salt, partner=self.sender.partner)
        id = message_id(digest, (), whole.identity)
        try:
            async with self._parts(body) as parts:
                arrivals = [self._arrival(part, id, salt, position) for position, part in enumerate(parts)]
                if not arrivals:
                    raise DecodeError("there is nothing in it")
                taken = await self._take_all(arrivals)
        except (TransientError, JournalUnavailable, TimeoutError) as error:
            return self.terms.away(error)
        except DecodeError as error:
            return problem(422, "unreadable", str(error))
        if taken.failed:
            cause = (taken.told or UNTOLD) if self.sender.partner else taken.cause
            return problem(422, "unreadable", cause, id=id, documents=0, refused=taken.refused)
        if self.terms.options.reply == "sync" and (taken.documents, taken.refused) == (1, 0):
            return await self._ending(id, taken)
        return self._accepted(id, taken)

    @asynccontextmanager
    async def _parts(self, body: Body) -> AsyncIterator[list[MultipartFile]]:
        content_type = self.request.headers.get("content-type", "")
        if self.request.content_type != "multipart/form-data":
            yield [MultipartFile("", content_type, body)]
            return
        async with parts_of(body, content_type, self.terms.spool) as parts:
            yield parts

    def _arrival(self, part: MultipartFile, id: str, salt: str, position: int) -> Arrival:
        options = self.terms.options
        keyed = (("idempotency_key", self.key),) if self.key else ()
        return Arrival(
            self.terms.source,
            part.body,
            part.name,
            {"content_type": part.content_type} if part.content_type else {},
            take_given(options.facts, values_of(self.request)),
            f"{salt}|{position}" if self.key and position else salt,
            ((ARRIVAL, id), *keyed),
            self.sender.partner,
        )

    async def _take_all(self, arrivals: list[Arrival]) -> Taken:
        """All of them, or nothing that the client may forget."""
        documents = refused = 0
        cause = told = ""
        async with self.terms.clock.timeout(seconds(self.terms.options.patience)):
            for arrival in arrivals:
                taken = await self.take(arrival)
                documents, refused = documents + taken.documents, refused + taken.refused
                cause, told = cause or taken.cause, told or taken.told
        return Taken(documents, refused, cause, told)

    async def _ending(self, id: str, taken: Taken) -> WebResponse:
        terms = self.terms
        try:
            ending = await terms.outcomes.ending(terms.source, id, seconds(terms.options.within))
        except JournalUnavailable:
            ending = None
        return (ending_answer(ending, id, self.sender.partner) if ending is not None else None) or self._accepted(
            id, taken
        )

    def _accepted(self, id: str, taken: Taken) -> WebResponse:
        where = f"/status/{id}"
        told = {"id": id, "status_url": where, "documents": taken.documents, "refused": taken.refused}
        return WebResponse(202, json.dumps(told).encode(), JSON, {"Location": where})


def queried(request: WebRequest) -> str:
    """The query, in whatever order it was written."""
    return f"?{urlencode(sorted(request.query.items()))}" if request.query else ""
