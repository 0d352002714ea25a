"""A list behind HTTP as a source: asked for by the clock, read on from where it was left."""

from __future__ import annotations

import random
from datetime import datetime
from hashlib import sha256

from adapters.rest.endpoint import RestEndpoint
from adapters.rest.http_response import HttpResponse
from adapters.rest.list_options import CURSOR, RestSourceOptions
from adapters.rest.page import Item, Page, page_from, pieces_of
from adapters.rest.progress import ListProgress
from adapters.rest.request import question_of
from adapters.rest.rounds import Rounds
from adapters.rest.url import show_url
from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.errors import DecodeError, HubError, RejectedError
from hub.core.ports import Arrival, BytesBody, Memory, Take
from hub.core.replies.replies import classify

PROGRESS, ASKED = "progress", "asked"
MOST_KNOWN = 100_000
"""Items of a round that are known again in the next one."""
NOT_MODIFIED = 304


class RestSource:
    """Asks in one process at a time. Each item is an arrival; what has been read counts once the intake has taken it
    all, so that a crash asks for it again. Items that come again with the same bytes are the same messages; a changed
    one is another. A round that fails is begun again after a growing pause, at the page where it failed."""

    def __init__(self, name: str, options: RestSourceOptions, endpoint: RestEndpoint, context: Context) -> None:
        self._name = name
        self._options = options
        self._endpoint = endpoint
        self._memory: Memory = context.memory(name)
        self._apart = context.apart
        self._log, self._clock = context.log, context.clock
        self._rounds = Rounds(options, context.clock)
        self._etag: tuple[str, str] | None = None
        self._known: set[bytes] = set()
        self._now: set[bytes] = set()

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        asked = await self._memory.get(ASKED)
        last = datetime.fromisoformat(asked) if asked else None
        while True:
            await self._rounds.wait(last)
            await self._until_it_succeeds(take)
            last = read_utc(self._clock)
            if self._options.cron is not None:
                await self._memory.put(ASKED, last.isoformat())

    async def _offer(self, page: Page, take: Take) -> None:
        """What this process has offered in the round before, or in this one, is not offered again: lists repeat
        themselves."""
        for item in page.items:
            digest = sha256(item.body).digest()
            if digest not in self._known and digest not in self._now:
                await take(self._arrival(item))
            if len(self._now) < MOST_KNOWN:
                self._now.add(digest)

    async def _until_it_succeeds(self, take: Take) -> None:
        failures = 0
        while True:
            try:
                await self._round(take)
                self._known, self._now = self._now, set()
                return
            except HubError as error:
                failures += 1
                pause = self._rounds.pause(failures, error)
                self._log.warning(
                    "list_not_read",
                    source=self._name,
                    error=str(error),
                    failures=failures,
                    again_in=round(pause, 1),
                )
                await self._clock.sleep(pause * random.uniform(1.0, 1.1))  # noqa: S311

    async def _round(self, take: Take) -> None:
        """Reads on until there is nothing more, `pages` at most. Raises HubError, with everything before it
        remembered."""
        progress = ListProgress.remembered(await self._memory.get(PROGRESS), self._options)
        asked: set[str] = set()
        before: tuple[Item, ...] = ()
        for _ in range(self._options.pages):
            url = progress.page or self._first(progress)
            if url in asked:
                raise DecodeError(f"{show_url(url)} leads back to a page of the same round: the list would never end")
            asked.add(url)
            page = await self._page(progress, url)
            await self._offer(page, take)
            self._etag = (url, page.etag) if page.etag and page.next is None and progress.page is None else self._etag
            progress, earlier = progress.after(page), progress
            if progress != earlier:
                await self._memory.put(PROGRESS, progress.text())
            if self._is_end(page, before, moved=progress.cursor != earlier.cursor):
                return
            before = page.items
        self._log.info("list_goes_on", source=self._name, pages=self._options.pages)

    def _is_end(self, page: Page, before: tuple[Item, ...], *, moved: bool) -> bool:
        """A list without pages goes on behind its new cursor, until it holds nothing, or the same once more."""
        if page.next is not None:
            return False
        return not moved or self._options.items is None or not page.items or page.items == before

    def _first(self, progress: ListProgress) -> str:
        return self._endpoint.url(question_of(self._options.path, {CURSOR: progress.cursor}))

    async def _page(self, progress: ListProgress, url: str) -> Page:
        headers = dict(self._options.headers)
        if self._etag is not None and self._etag[0] == url:
            headers["If-None-Match"] = self._etag[1]
        try:
            answer = await self._endpoint.follow(url, headers)
            if answer.status == NOT_MODIFIED and self._etag is not None:
                return Page(())
            whole = self._check_reply(answer)
        except RejectedError:
            if progress.page is not None:
                self._log.warning("page_is_gone", source=self._name, page=show_url(url), cursor=progress.cursor)
                await self._memory.put(PROGRESS, progress.at_the_cursor().text())
            raise
        first, size = self._first(progress), len(whole.body)
        return page_from(await self._apart(self._name, size, pieces_of, whole, self._options, url, first))

    def _check_reply(self, answer: HttpResponse) -> HttpResponse:
        """Raises TransientError and RejectedError for what is no success, DecodeError for half a reply."""
        body = self._endpoint.blackened(answer.body)
        classify(answer.status, answer.headers, body, (), read_utc(self._clock))
        if answer.cut:
            raise DecodeError(
                f"the reply is larger than the endpoint's largest_reply: {len(answer.body)} bytes; ask for less"
            )
        return HttpResponse(answer.status, answer.headers, body)

    def _arrival(self, item: Item) -> Arrival:
        partner = self._options.partner or ""
        facts = {"partner": partner} if partner else {}
        headers = {"content_type": item.content_type}
        return Arrival(self._name, BytesBody(item.body), item.name or self._name, headers, facts, partner=partner)


def build_source(name: str, options: RestSourceOptions, context: Context) -> RestSource:
    return RestSource(name, options, context.endpoint_of(RestEndpoint, options.endpoint), context)
