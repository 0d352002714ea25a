"""One document to one destination: what is sent is stored before the first attempt, and sent at most once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hub.core.errors import ConfigError, MappingError
from hub.core.identity import digest, idempotency_key
from hub.core.message import EMPTY, JSON
from hub.core.ports import Outgoing, Receipt, Written
from hub.journal.control_numbers import NumberWanted
from hub.journal.entry import EffectState, Entry
from hub.runtime.copy import RouteCopy, pack, pack_facts
from hub.runtime.guard import outcome_of, result_of
from hub.runtime.live import Live, OpenDestination
from hub.runtime.outgoing_facts import OutgoingFacts
from hub.runtime.rendering import TRIAL, render, waits_for_others


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. One of: `receipt` (delivered now), `skipped` (nothing was to be sent, or not now), `waits` (it is
    to go with a batch), or `error`."""

    destination: str
    state: EffectState
    receipt: Receipt | None = None
    skipped: str = ""
    busy: bool = False
    waits: bool = False
    error: BaseException | None = None
    took: float = 0.0


class Sender:
    """Prepares and sends. Knows which sends of this process are under way, so that two copies of one document never send
    to one destination at the same time."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._under_way: dict[tuple[str, str], asyncio.Future[None]] = {}

    @asynccontextmanager
    async def alone(self, copy: RouteCopy) -> AsyncIterator[None]:
        """Holds all open destinations of the copy until what was sent is committed."""
        keys = [(copy.document_id, destination) for destination in sorted(copy.open)]
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        taken: list[tuple[str, str]] = []
        try:
            for key in keys:
                while (other := self._under_way.get(key)) is not None:
                    await asyncio.shield(other)
                self._under_way[key] = mine
                taken.append(key)
            yield
        finally:
            for key in taken:
                del self._under_way[key]
            mine.set_result(None)

    async def attempt(self, copy: RouteCopy, redelivered: bool) -> list[Outcome]:
        """Sends the copy to each of its open destinations, all at once. Raises nothing that belongs to a destination."""
        snapshot = self._live.snapshot
        body = await self._canonical(copy)
        rendered: dict[str, Written | None] = {}
        early: dict[str, BaseException] = {}
        fresh = copy.attempt == 1 and copy.parent is None and not redelivered
        numbered: dict[str, str] = {}
        together: set[str] = set()
        for name in copy.open:
            destination = snapshot.destinations.get(name)
            if destination is None:
                early[name] = ConfigError(f"the destination {name!r} is not there any more")
            elif destination.sequence is not None and waits_for_others(copy, destination):
                together.add(name)
            elif destination.sequence is not None:
                numbered[name] = destination.sequence
            elif fresh or destination.writer is None:
                rendered[name] = self._try_render(copy, destination, body, early)
        states, numbers = await self._prepare(copy, rendered, numbered)
        if redelivered:
            early.update({name: Stale() for name in copy.open if stale(copy, states[name])})
        missing = [n for n in copy.open if n not in early and states[n].needs_bytes and rendered.get(n) is None]
        if missing:
            for name in missing:
                destination, number = snapshot.destinations[name], TRIAL if name in together else numbers.get(name)
                rendered[name] = await self._rendered(copy, destination, body, early, states[name].key, number)
            made = {name: rendered.get(name) for name in missing if name not in early and name not in together}
            if made:
                states.update((await self._prepare(copy, made))[0])
        waiting = {n for n in together if n not in early and states[n].needs_bytes}
        sends = [
            self._send(copy, snapshot.destinations.get(n), states[n], rendered.get(n), early.get(n), n in waiting)
            for n in copy.open
        ]
        if len(sends) == 1:
            return [await sends[0]]
        return list(
            await asyncio.gather(*sends)
        )  # no send raises: the slowest is waited for, whatever becomes of the others

    async def _canonical(self, copy: RouteCopy) -> bytes:
        if copy.claim is None:
            return copy.message.body
        stored = await self._live.journal.claim_body(copy.claim)
        return b"".join(stored.chunks())

    async def _rendered(
        self,
        copy: RouteCopy,
        destination: OpenDestination,
        body: bytes,
        early: dict[str, BaseException],
        key: str,
        number: int | None,
    ) -> Written | None:
        """As `_try_render`; a batch is written by a thread, so that the event loop stays free."""
        if copy.is_batch:
            return await asyncio.to_thread(self._try_render, copy, destination, body, early, key, number)
        return self._try_render(copy, destination, body, early, key, number)

    def _try_render(
        self,
        copy: RouteCopy,
        destination: OpenDestination,
        body: bytes,
        early: dict[str, BaseException],
        key: str = "",
        number: int | None = None,
    ) -> Written | None:
        now = self._live.clock()
        written = result_of(lambda: render(copy, destination, body, now, key, number))
        if isinstance(written, Exception):
            early[destination.name] = written
            return None
        return written

    async def _prepare(
        self, copy: RouteCopy, rendered: dict[str, Written | None], numbered: Mapping[str, str] = EMPTY
    ) -> tuple[dict[str, EffectState], dict[str, int]]:
        """The states of all open destinations, and the control numbers of those whose bytes are still to be made."""
        live, now, entry = self._live, self._live.clock(), Entry()
        for name in copy.open:
            written = rendered.get(name)
            claim = content_type = facts = expect_ack = None
            if written is not None:
                content_type, expect_ack = written.content_type, written.expect_ack
                facts = pack_facts(written.facts) if written.facts else None
                claim = copy.canonical if written.body is copy.message.body and copy.canonical else None
                if claim is None:
                    kept = await live.journal.keep(written.body)
                    claim = kept.digest
                    entry.claim(kept.digest, kept.size, kept.row, now)
            key = idempotency_key(copy.document_id, name)
            entry.prepare(
                *(copy.document_id, name, copy.route, key, now, live.journal.process),
                claim=claim,
                content_type=content_type,
                facts=facts,
                expect_ack=expect_ack,
            )
            if name in numbered:
                entry.number(await self._number(copy, name, numbered[name], entry, now))
        await live.journal.commit(entry)
        states = {name: entry.effects[copy.document_id, name] for name in copy.open}
        return states, {name: number for (_, name), number in entry.numbers.items()}

    async def _number(self, copy: RouteCopy, destination: str, sequence: str, entry: Entry, now: float) -> NumberWanted:
        """Asks for a control number; the copy is kept with it, so that a hold can be made when the partner rejects."""
        body = copy.claim or copy.canonical or await kept_body(self._live, copy, entry, now)
        packed = pack(copy.message)
        return NumberWanted(sequence, copy.document_id, destination, copy.route, packed, body, now)

    async def _send(
        self,
        copy: RouteCopy,
        destination: OpenDestination | None,
        state: EffectState,
        written: Written | None,
        early: BaseException | None,
        waits: bool,
    ) -> Outcome:
        name = state.destination
        if state.finished:
            return Outcome(name, state, skipped=f"{state.status} already")
        if not state.mine:
            return Outcome(name, state, skipped="another process is sending it", busy=True)
        if isinstance(early, Stale):
            return Outcome(name, state, skipped=f"{state.status} already, after attempt {state.attempts}")
        if early is not None or destination is None:
            return Outcome(name, state, error=early or MappingError(f"nothing to send to {name}"))
        if waits:
            return Outcome(name, state, waits=True)
        if state.reply is not None and destination.replies_to is not None:
            return await self._answered(state)
        body = await outcome_of(lambda: self._stored(state, written))
        if isinstance(body, Exception):
            return Outcome(name, state, error=body)
        outgoing = Outgoing(
            document_id=copy.document_id,
            document=copy.document,
            key=state.key,
            body=body,
            content_type=state.content_type or JSON,
            attempt=copy.attempt,
            correlation_id=copy.message.correlation_id,
            facts=OutgoingFacts(copy, state.facts),
            headers={"hub-hops": copy.hops},
        )
        started = self._live.clock()
        result = await outcome_of(lambda: send_within_limit(destination, outgoing))
        took = self._live.clock() - started
        if isinstance(result, Exception):
            return Outcome(name, state, error=result, took=took)
        return Outcome(name, state, receipt=result, took=took)

    async def _answered(self, state: EffectState) -> Outcome:
        """The far end has answered an earlier attempt, which ended before its outcome was recorded: that answer counts."""
        reply = await outcome_of(lambda: self._live.journal.claim_body(state.reply or ""))
        if isinstance(reply, Exception):
            return Outcome(state.destination, state, error=reply)
        body = b"".join(reply.chunks())
        receipt = Receipt(state.text or "delivered", reply=body, content_type=state.reply_type)
        return Outcome(state.destination, state, receipt=receipt)

    async def _stored(self, state: EffectState, written: Written | None) -> bytes:
        """The bytes that the journal has: those of the first attempt, whatever a template would make today."""
        assert state.claim is not None  # noqa: S101  (prepared above, or `early` is set)
        if written is not None and (len(written.body) < 1 << 16 and digest(written.body) == state.claim):
            return written.body
        stored = await self._live.journal.claim_body(state.claim)
        return b"".join(stored.chunks())


async def kept_body(live: Live, copy: RouteCopy, entry: Entry, now: float) -> str:
    """The claim of the copy's canonical form, kept with the entry."""
    if copy.claim is not None:
        return copy.claim
    kept = await live.journal.keep(copy.message.body)
    entry.claim(kept.digest, kept.size, kept.row, now)
    return kept.digest


class Stale(Exception):
    """A delivery whose outcome was committed, but not acknowledged, before it came again."""


def stale(copy: RouteCopy, state: EffectState) -> bool:
    """The attempt that this redelivered copy stands for is recorded: its successor, a retry or a dead letter, is on its way."""
    return state.status in ("retrying", "dead") and copy.attempt <= state.attempts


async def send_within_limit(destination: OpenDestination, outgoing: Outgoing) -> Receipt:
    if destination.limit is None:
        return await destination.adapter.send(outgoing)
    async with destination.limit.turn():
        return await destination.adapter.send(outgoing)
