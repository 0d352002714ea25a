"""Placing: the rows of a document are committed first, and then the messages that refer to them are published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from hub.core import topology
from hub.core.broker import Broker
from hub.core.errors import ConfigError, EndpointError, JournalUnavailable, TransientError, Unroutable
from hub.core.message import Message
from hub.journal.commit.entry import Committed, Entry
from hub.journal.journal import Journal


@dataclass(frozen=True, slots=True)
class Placed:
    """A message, and the queue of the hub's own in which it is to rest."""

    queue: str
    message: Message


@dataclass(slots=True)
class Placing:
    """What the intake has decided about one reading: the bodies in `large` are kept as claims, `entry` is committed, then `messages` are published, then `offer` is published
    to the topic exchange of documents with its key, for which nobody waits."""

    story: str = ""
    """The document and the table that decided about it: what is told of them once."""
    entry: Entry = field(default_factory=Entry)
    messages: list[Placed] = field(default_factory=list)
    large: list[bytes] = field(default_factory=list)
    offer: tuple[str, Message] | None = None
    committed: Committed | None = None

    def place(self, queue: str, message: Message) -> None:
        self.messages.append(Placed(queue, message))


async def carry_out(placing: Placing, journal: Journal, broker: Broker) -> Committed:
    """Returns when the rows are committed and every message is confirmed. Nothing is published before the commit, so that whoever
    receives a message finds what it refers to. Raises what `Journal.commit` and `place_all` raise."""
    for body in placing.large:
        kept = await asyncio.to_thread(journal.claims.keep, body)
        placing.entry.claim(kept, journal.clock())
    placing.committed = await journal.commit(placing.entry)
    await place_all(broker, placing.messages)
    if placing.offer is not None:
        key, message = placing.offer
        offered = broker.publish(topology.DOCUMENTS, key, message, mandatory=False)
        asyncio.ensure_future(offered).add_done_callback(forget)
    return placing.committed


async def place_all(broker: Broker, messages: Sequence[Placed]) -> None:
    """Publishes to queues of the hub's own and waits for every confirm, also when one fails; then raises the first error.

    A queue that somebody has deleted is declared again, and the message published again. Raises TransientError when the broker
    can't take a message now, MessageError or RejectedError when it can never take it.
    """
    started = [broker.publish("", placed.queue, placed.message) for placed in messages]
    first: Exception | None = None
    for placed, confirmed in zip(messages, started, strict=True):
        try:
            await _confirmed(broker, placed, confirmed)
        except Exception as error:  # noqa: BLE001  (raised again below, once nothing is under way any more)
            first = first or error
    if first is not None:
        raise first


async def _confirmed(broker: Broker, placed: Placed, confirmed: Awaitable[None]) -> None:
    try:
        await confirmed
    except Unroutable:
        try:
            await broker.declare(topology.topology_of(placed.queue))
            await broker.publish("", placed.queue, placed.message)
        except (Unroutable, ConfigError) as error:
            raise TransientError(f"the queue {placed.queue} is missing: {error}", "unreachable") from error


async def settle(waiting: list[asyncio.Future[None]]) -> None:
    """Waits until all of them are done and empties the list; only then raises the first error. Nothing goes on behind the caller's
    back, unless the caller is cancelled."""
    waited = waiting[:]
    waiting.clear()
    if not waited:
        return
    await asyncio.wait(waited)
    for future in waited:
        if future.cancelled():
            raise JournalUnavailable("the hub stopped before this was recorded")
        if (error := future.exception()) is not None:
            raise error


def is_passing(error: BaseException) -> bool:
    """Whether broker or journal failed, and not the document: the same may work later."""
    return isinstance(error, TransientError | Unroutable | JournalUnavailable)


def as_taken(error: BaseException) -> TransientError | JournalUnavailable:
    """An error that passes, as one that the contract of `Take` knows."""
    if isinstance(error, TransientError | JournalUnavailable):
        return error
    kind = "unreachable" if isinstance(error, EndpointError) else "failed"
    return TransientError(f"{type(error).__name__}: {error}", kind)  # type: ignore[arg-type]


def forget(future: asyncio.Future[None]) -> None:
    """Looks at a result that nobody waits for, so that the event loop does not report it."""
    if not future.cancelled():
        future.exception()
