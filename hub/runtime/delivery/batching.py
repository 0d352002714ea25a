"""Batching: documents that wait for each other are closed into a batch, and the batch goes the way of a document.

A document waits as a row that is committed with its effect; a batch is closed by one transaction and published until
the broker has confirmed it. So each step may be repeated, in any process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from hub.core import topology
from hub.core.apart import Piece
from hub.core.errors import HubError
from hub.core.message import Header, Message
from hub.core.ports import BatchingWriter
from hub.core.stage import Stage
from hub.documents import BATCH, Batch, batch_to_json, from_json
from hub.journal.batches.batch_dissolving import Dissolution
from hub.journal.batches.batch_members import TELL, BatchSays
from hub.journal.batches.batches import Batches, WaitingBatch
from hub.journal.commit.entry import Entry
from hub.journal.rows import BatchMemberRow, BatchRow
from hub.runtime.boundary import Boundary, Logged
from hub.runtime.contained.apart import ContainedApart
from hub.runtime.copy import make_copy, number, pack_facts, unpack, unpack_facts
from hub.runtime.runtime import Runtime

CHECK_SECONDS = 1.0

MOST_SHOWN = 20
"""Documents of a batch that its story names."""

MOST = 1000
"""Documents of a batch that nobody agreed on any more."""

SOURCE = "batches"
"""What a batch's message says of where it came from."""


class Batching:
    """Closes and publishes. Many processes may do so at once: each batch is closed by one of them."""

    def __init__(self, runtime: Runtime, go_on: Callable[[list[str]], Awaitable[int]]) -> None:
        """`go_on` publishes what holds have kept that are being released."""
        self._runtime = runtime
        self._go_on = go_on
        self._batches = Batches(runtime.journal)
        self._apart = ContainedApart(runtime.pool).do
        self._causes: dict[str, str] = {}
        self._turn = asyncio.Lock()

    async def watch(self) -> None:
        """Looks every second for what is full or has waited long enough."""
        while True:
            with Logged(self._runtime.log, "batches_not_checked"):
                await self.check()
            await self._runtime.clock.sleep(CHECK_SECONDS)

    async def check(self) -> int:
        """How many batches this call has published. One after the other in this process."""
        async with self._turn:
            return await self._check()

    async def _check(self) -> int:
        waiting = await self._batches.waiting()
        if any([await self._close(group) for group in waiting]):
            waiting = await self._batches.waiting()
        self._measure(waiting)
        published = 0
        for row in await self._batches.unpublished():
            go = self._publish if self._takes_batches(row.destination) else self._part
            with Boundary() as boundary:
                await go(row)
                published += 1
            if boundary.error is not None:
                await self._say(row, str(boundary.error) or type(boundary.error).__name__)
        return published

    async def _close(self, group: WaitingBatch) -> bool:
        """Makes as many batches as are due; whether there was one. What waits for a destination that makes no batches
        any more is closed at once."""
        runtime, now = self._runtime, self._runtime.clock()
        destination = runtime.snapshot.destinations.get(group.destination)
        terms = destination.batch if destination is not None else None
        most, before = (terms.max, now - terms.wait) if terms is not None else (MOST, now)
        closed = False
        if group.count < most and group.oldest > before:
            return closed
        while (id := await self._batches.close(group, most, before, now)) is not None:
            runtime.log.info("batch_closed", batch=id, destination=group.destination, document=group.document)
            closed = True
        return closed

    def _takes_batches(self, destination: str) -> bool:
        """Whether a batch can be written for it; one that isn't there any more may come back."""
        one = self._runtime.snapshot.destinations.get(destination)
        return one is None or one.gather is not None or isinstance(one.writer, BatchingWriter)

    async def _part(self, row: BatchRow) -> None:
        """The site doesn't gather them any more: each goes alone."""
        runtime = self._runtime
        wanted = Dissolution(
            row.id, "hub", "they are not gathered any more", runtime.clock(), runtime.snapshot.owner_of
        )
        await self._go_on(await self._batches.dissolve(wanted) or [])

    def _measure(self, waiting: Sequence[WaitingBatch]) -> None:
        runtime = self._runtime
        counts = Counter({name: 0 for name, one in runtime.snapshot.destinations.items() if one.batch is not None})
        for group in waiting:
            counts[group.destination] += group.count
        runtime.metrics.batch_waiting.clear()
        for name, count in counts.items():
            runtime.metrics.batch_waiting.labels(name).set(count)

    async def _say(self, row: BatchRow, cause: str) -> None:
        """Why a batch could not be published: in the log each time, in the journal when it is news."""
        self._runtime.log.warning("batch_not_published", batch=row.id, error=cause)
        if self._causes.get(row.id) != cause:
            entry = Entry()
            entry.event(
                row.id, self._runtime.clock(), Stage.UNPUBLISHED, destination=row.destination, text=cause[:2000]
            )
            await self._runtime.journal.commit(entry)
            self._causes[row.id] = cause

    async def _publish(self, row: BatchRow) -> None:
        """Records the batch as a message, publishes its copy, and notes the confirm."""
        runtime = self._runtime
        members = await self._batches.members(row.id)
        body, numbers = await self._body(row, members)
        kept, entry = await runtime.journal.keep(body), Entry()
        entry.claim(kept, row.closed_at)
        copy = self._copy(row, members, body, kept.digest)
        route = str(copy.headers[Header.ROUTE])
        batch_number = row.id[:12]
        entry.message(
            row.id,
            SOURCE,
            "",
            kept.digest,
            "",
            row.closed_at,
            document=BATCH,
            canonical=kept.digest,
            partner=row.partner,
            number=batch_number,
            direction="outbound",
            terms="{}",
        )
        entry.key(batch_number, "batch", row.id)
        shown = ", ".join(numbers[:MOST_SHOWN]) + (", ..." if len(numbers) > MOST_SHOWN else "")
        text = f"a batch of {row.members} for {row.destination}"
        entry.event(
            row.id, runtime.clock(), Stage.BATCHED, route=route, destination=row.destination, text=f"{text}: {shown}"
        )
        said = BatchSays(
            batch=row.id, at=runtime.clock(), stage=Stage.BATCHED, route=route, destination=row.destination, text=text
        )
        entry.add(TELL, said)
        await runtime.journal.commit(entry)
        await runtime.broker.publish("", topology.route_queue(route), copy)
        await self._batches.published(row.id, runtime.clock())
        self._causes.pop(row.id, None)

    async def _body(self, row: BatchRow, members: Sequence[BatchMemberRow]) -> tuple[bytes, list[str]]:
        """The batch as a document, and the numbers of what is in it."""
        claims = [await self._runtime.journal.claim_body(member.body) for member in members]
        bodies = await asyncio.to_thread(lambda: [b"".join(claim.chunks()) for claim in claims])
        size = sum(map(len, bodies))
        ((head, body),) = await self._apart(row.destination, size, batch_of, row.id[:12], row.partner, bodies)
        return body, list(head["numbers"])

    def _copy(self, row: BatchRow, members: Sequence[BatchMemberRow], body: bytes, canonical: str) -> Message:
        """The batch as a copy for the route of its oldest member whose route is still there. Its facts are that
        member's, but for the number. Raises HubError where none is: nobody would take it."""
        routes = self._runtime.snapshot.table.by_id
        first = next((member for member in members if member.route in routes), None)
        if first is None:
            gone = ", ".join(sorted({member.route for member in members}))
            raise HubError(f"the route {gone} is not there any more: bring it back, or dissolve the batch")
        headers = unpack(first.headers, b"").headers
        hops = max(number(unpack(member.headers, b"").headers.get(Header.HOPS), 0) for member in members)
        return make_copy(
            document=BATCH,
            document_id=row.id,
            body=body,
            canonical=canonical,
            route=first.route,
            send=(row.destination,),
            facts=pack_facts({**unpack_facts(headers), "number": row.id[:12]}),
            table=str(headers.get(Header.TABLE, "")),
            source=SOURCE,
            correlation_id=None,
            hops=hops,
        )


def batch_of(number: str, partner: str, bodies: Sequence[bytes]) -> Iterator[Piece]:
    """The batch of canonical documents, and the numbers of what is in it. Raises DecodeError."""
    documents = tuple(map(from_json, bodies))
    batch = Batch.model_validate({"number": number, "partner": partner, "documents": documents})
    yield {"numbers": [f"{document.kind} {document.number}" for document in documents]}, batch_to_json(batch)
