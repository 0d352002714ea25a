"""From an arrival to its claim and its readings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from hub.core.errors import DecodeError, TransientError
from hub.core.identity import digest, message_id
from hub.core.message import Header, Message, storable
from hub.core.ports import DUPLICATES, Arrival, Body, BytesBody, Reader, Reading
from hub.core.routing.facts import LONGEST_FACT
from hub.core.step import AskingStep
from hub.documents import from_json
from hub.journal.commit.claims import INLINE, StoredClaim
from hub.mapping.allowance import RenderingAllowance, within
from hub.runtime.boundary import Boundary, guarded
from hub.runtime.contained.reading import ContainedReading, suspect_name
from hub.runtime.contained.recipe import Recipe
from hub.runtime.delivery.small_work import allowance_before
from hub.runtime.intake.acknowledgments import AcknowledgedNumber
from hub.runtime.intake.arrival_terms import record_terms
from hub.runtime.intake.document_found import DocumentFound, document_found
from hub.runtime.intake.duplicate_interchanges import DuplicateInterchanges
from hub.runtime.intake.remainder import Remainder
from hub.runtime.intake.source_steps import SourceSteps, SteppedReading
from hub.runtime.position import position_text, wanted
from hub.runtime.runtime import Runtime, Snapshot
from hub.runtime.steps.walk import Walked

WINDOW = 200
"""Documents of one arrival that may be unconfirmed at once."""

TURN_SECONDS = 0.02
"""After so long an arrival lets others go on: a small body may hold thousands of documents."""

MOST_HOPS = 16
"""Times a document may pass a hub before it is taken for one that goes in a circle."""


@dataclass(slots=True)
class Visit:
    """One arrival, while it is taken."""

    arrival: Arrival
    claim: StoredClaim
    correlation_id: str
    hops: int
    at: float
    raw: bytes | None
    only: str | None = None
    among: frozenset[str] = frozenset()
    parent: str | None = None
    documents: int = 0
    refused: int = 0
    answers: int = 0
    cause: str = ""
    told: str = ""
    letters: int = 0
    terms: str | None = None
    """What the journal keeps of what the source knows (`record_terms`)."""
    remainder: Remainder = field(default_factory=Remainder)
    whole: bool = False
    """Whether it is, as far as it has been read, one small document that its source keeps: see
    `hub.runtime.delivery.hand_over`."""
    claimed: bool = False
    """Whether an entry of this visit has the claim's row already."""
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    answer: AcknowledgedNumber | None = None
    settling: dict[str, int] = field(default_factory=dict)
    """By acknowledgment: how often its bytes have come once the source has acknowledged this arrival; where repeats are
    agreed."""

    @property
    def terms_known(self) -> str | None:
        """The terms. What is replayed may have come with more than is known of it now: the journal has them already, or
        has none."""
        return self.terms if self.parent is None else None

    @property
    def is_partial(self) -> bool:
        """Only some places of the arrival are taken: they are replayed."""
        return self.only is not None or bool(self.among)


class ArrivalReader:
    """Claims arrivals and reads them: in a worker process where reading may cost much, so that the event loop stays
    free."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._contained = ContainedReading(runtime)
        self._duplicates = DuplicateInterchanges(runtime, self._contained)

    async def claim(self, arrival: Arrival, at: float) -> Visit:
        """The bytes are kept once the claim's row is committed."""
        body = arrival.body
        raw = b"".join(body.chunks()) if body.size <= INLINE else None
        if raw is not None:
            claim = StoredClaim(digest(raw), len(raw), raw)
        else:
            claim = await asyncio.to_thread(self._runtime.journal.claims.keep_stream, body)
        name = storable(arrival.name[:LONGEST_FACT])
        if name != arrival.name:
            arrival = replace(arrival, name=name)
        headers = arrival.headers
        hops = headers.get(Header.HOPS, 0)
        correlation = headers.get("correlation_id")
        correlation = correlation if isinstance(correlation, str) else None
        return Visit(
            arrival,
            claim,
            correlation[:200] if correlation else message_id(claim.digest, (), arrival.identity),
            hops + 1 if isinstance(hops, int) else 1,
            at,
            raw,
            terms=record_terms(arrival),
        )

    async def passed(self, snapshot: Snapshot, visit: Visit) -> AsyncGenerator[list[SteppedReading]]:
        """For each reading of the body what has come of it, as its source checks and changes it. A reader that breaks
        the rules counts as a body that can't be read. Raises TransientError and JournalUnavailable."""
        if visit.hops > MOST_HOPS:
            circle = DecodeError(f"passed a hub {visit.hops - 1} times: it goes in a circle")
            yield [SteppedReading(Reading((), error=circle))]
            return
        source = visit.arrival.source
        reader = snapshot.readers.get(source)
        if reader is None:
            raise TransientError(f"the source {source} is not there any more", "busy")
        body: Body = visit.arrival.body if visit.raw is None else BytesBody(visit.raw)
        if visit.raw is None:
            body = self._runtime.journal.claims.open(visit.claim.digest) or body
        name = suspect_name(visit.arrival, visit.claim.digest)
        suspect = self._runtime.suspects.count(name) > 0
        recipe = snapshot.contained_source(source, body.size, suspect)
        headers = await self._headers(snapshot, visit, reader, body, recipe)
        passage = SourceSteps(snapshot.facts, snapshot.steps.get(source, ()), visit.arrival, visit.claim.digest)
        given = 0
        if recipe is None:
            recipe = snapshot.contained_source(source, 0, True)
            allowance = allowance_before(recipe)
            readings = guarded(lambda: reader.read(body, headers))
            clock = self._runtime.clock
            turn = clock.monotonic()
            while (one := self._next(name, readings, passage, visit.only, allowance)) is not None:
                reading, begun = one
                if allowance is not None and allowance.spent:
                    break
                if clock.monotonic() - turn > TURN_SECONDS:
                    await clock.sleep(0)
                    turn = clock.monotonic()
                if begun is not None:
                    with Boundary() as boundary:
                        found = await self._on(passage, reading, begun, allowance)
                    if allowance is not None and allowance.spent:
                        break
                    if boundary.error is not None:
                        raise boundary.error
                    given += len(found)
                    yield found
            if one is None or recipe is None:
                return
        async with aclosing(self._contained.passed(recipe, passage, body, headers, visit.only, given)) as contained:
            async for found in contained:
                yield found

    def at_once(self, snapshot: Snapshot, visit: Visit) -> SteppedReading | None:
        """The one reading of a small arrival, where this process reads it and nobody is asked. None: `passed` reads it,
        as what has many readings, needs a worker, asks, or fails."""
        arrival = visit.arrival
        reader, name = snapshot.readers.get(arrival.source), suspect_name(arrival, visit.claim.digest)
        steps = snapshot.steps.get(arrival.source, ())
        if steps and any(isinstance(each.step, AskingStep) for each in steps):
            return None
        if reader is None or visit.raw is None or visit.hops > MOST_HOPS or self._duplicates.may_ask(snapshot, reader):
            return None
        suspect = self._runtime.suspects.count(name) > 0
        if snapshot.contained_source(arrival.source, len(visit.raw), suspect) is not None:
            return None
        allowance = allowance_before(snapshot.contained_source(arrival.source, 0, True))
        passage = SourceSteps(snapshot.facts, steps, arrival, visit.claim.digest)
        headers = _headers_seen(arrival, {})
        self._runtime.recorder.note(name)
        try:
            with Boundary(), within(allowance):
                readings = reader.read(BytesBody(visit.raw), headers)
                reading = next(readings, None)
                if reading is None or next(readings, None) is not None:
                    return None
                ahead = passage.ahead(reading)
                if allowance is not None and allowance.spent:
                    return None
                return ahead if isinstance(ahead, SteppedReading) else passage.finished_at_once(reading, ahead)
        finally:
            self._runtime.recorder.clear()
        return None

    async def found_again(
        self, snapshot: Snapshot, arrival: Arrival, message: Message, envelope: Mapping[str, Any]
    ) -> DocumentFound:
        """What a canonical document says that waits as unmatched. Raises DecodeError and TransientError."""
        if snapshot.recipe is not None and len(message.body) > self._runtime.pool.limits.in_process_up_to:
            found = await self._contained.found(snapshot.recipe, arrival, message.body, envelope)
            return replace(found, id=message.id)
        reading = Reading((), from_json(message.body), envelope=envelope)
        return document_found(snapshot.facts, arrival, reading, message.id)

    def _next(
        self,
        name: str,
        readings: Iterator[Reading],
        passage: SourceSteps,
        only: str | None,
        allowance: RenderingAllowance | None,
    ) -> tuple[Reading, SteppedReading | list[Walked] | None] | None:
        """The next reading, and what has come of it where it is wanted. Where that spends the allowance, a worker is to
        begin again. Should it end this process, the next process knows it by the name."""
        self._runtime.recorder.note(name)
        with within(allowance):
            return self._ahead(readings, passage, only)

    @staticmethod
    async def _on(
        passage: SourceSteps,
        reading: Reading,
        begun: SteppedReading | list[Walked],
        allowance: RenderingAllowance | None,
    ) -> list[SteppedReading]:
        if isinstance(begun, SteppedReading):
            return [begun]
        with within(allowance):
            return await passage.on(reading, begun)

    def _ahead(
        self, readings: Iterator[Reading], passage: SourceSteps, only: str | None
    ) -> tuple[Reading, SteppedReading | list[Walked] | None] | None:
        try:
            reading = next(readings, None)
            if reading is None:
                return None
            is_wanted = wanted(only, position_text(reading.position), part=True)
            return reading, passage.ahead(reading) if is_wanted else None
        finally:
            self._runtime.recorder.clear()

    async def _headers(
        self, snapshot: Snapshot, visit: Visit, reader: Reader, body: Body, recipe: Recipe | None
    ) -> Mapping[str, Any]:
        """The arrival's headers, and in them what it was called and the duplicates; a sender can't name any."""
        arrival = visit.arrival
        told = await self._duplicates.find(
            snapshot, reader, body, visit.claim.digest, arrival.name, visit.at, arrival.source, recipe
        )
        return _headers_seen(arrival, told)


def _headers_seen(arrival: Arrival, told: Mapping[str, str]) -> Mapping[str, Any]:
    if not told and not arrival.name and not {Header.NAME, DUPLICATES} & arrival.headers.keys():
        return arrival.headers
    return {**arrival.headers, Header.NAME: arrival.name, DUPLICATES: told}
