"""The outcome of what came in, for those who wait for it: asked of the journal, whichever process delivers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from hub.core.clock import Clock
from hub.core.errors import ClaimMissing
from hub.core.outcome import DocumentState, Ending, State
from hub.core.ports import Body
from hub.core.stage import Stage
from hub.journal.deliveries.standings import OF_EFFECT, Standing, standings
from hub.journal.journal import Journal

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two questions to the journal, growing; less where this process itself delivers."""


NOWHERE = (State.UNMATCHED, State.FILTERED, State.DUPLICATE, State.UNREADABLE)
"""It goes to no destination. An event of that name says why."""


class JournalOutcomes:
    """See `hub.core.outcome.Outcomes`. `answering` gives the names of the destinations that answer, as they are now."""

    def __init__(self, journal: Journal, answering: Callable[[], Collection[str]]) -> None:
        self._journal = journal
        self._answering = answering
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def settled(self, document_id: str) -> None:
        """This process has committed an outcome of the document: who waits for it asks at once."""
        for event in self._waiting.get(document_id, ()):
            event.set()

    async def standing(self, source: str, arrival: str, partner: str) -> tuple[DocumentState, ...]:
        found = await standings(self._journal, source, arrival)
        return tuple(one.told() for one in found if not partner or one.message.partner == partner)

    async def ending(self, source: str, arrival: str, within: float) -> Ending | None:
        """None when the arrival has not exactly one document."""
        clock = self._journal.clock
        until, pause, news = clock.monotonic() + within, FIRST_PAUSE, asyncio.Event()
        document = ""
        try:
            while True:
                found = await standings(self._journal, source, arrival)
                if len(found) != 1:
                    return None
                if not document:
                    document = found[0].message.id
                    self._waiting.setdefault(document, set()).add(news)
                    continue  # what was committed before we listened is seen now
                ending = await self._ending(found[0])
                left = until - clock.monotonic()
                if ending is not None or left <= 0:
                    return ending or Ending(State.ROUTED, document)
                pause = await rest(clock, news, min(pause, left))
        finally:
            self._forget(document, news)

    async def _ending(self, standing: Standing) -> Ending | None:
        """None: it goes on."""
        id = standing.message.id
        if standing.state in NOWHERE:
            event = standing.stages[Stage(standing.state)]
            return Ending(standing.state, id, text=event.text or "")
        names = [name for name in standing.routed if name in self._answering()]
        if not names:
            return Ending(State.ROUTED, id, silent=True)  # it goes to others alone
        effect = standing.effects.get(names[0])
        state = OF_EFFECT.get(effect.status) if effect is not None else None
        if effect is None or state is None:
            return None
        reply = await self._reply(effect.reply) if state is State.DELIVERED and effect.reply else None
        return Ending(state, id, names[0], effect.text or "", reply, effect.reply_type)

    async def _reply(self, claim: str) -> Body | None:
        try:
            return await self._journal.claim_body(claim)
        except ClaimMissing:
            return None

    def _forget(self, document: str, news: asyncio.Event) -> None:
        waiting = self._waiting.get(document)
        if waiting is not None:
            waiting.discard(news)
            if not waiting:
                del self._waiting[document]


async def rest(clock: Clock, news: asyncio.Event, pause: float) -> float:
    """Waits for the pause, or for news; gives the next pause."""
    try:
        async with clock.timeout(pause):
            await news.wait()
    except TimeoutError:
        return min(pause * 1.5, LONGEST_PAUSE)
    news.clear()
    return FIRST_PAUSE
