"""Placing: the rows of a document are committed first, and then the messages that refer to them are published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub.core import topology
from hub.core.broker import Broker
from hub.core.errors import ConfigError, EndpointError, JournalUnavailable, TransientError, Unroutable
from hub.core.message import Message
from hub.core.record import record
from hub.core.routing.route import Route
from hub.journal.commit.entry import Committed, Entry
from hub.journal.journal import Journal


@record
class Placed:
    """A message, and the queue of the hub's own in which it is to rest."""

    queue: str
    message: Message


class Handed(Protocol):
    """A copy that begins with a commit, or goes to its queue: `placed`."""

    @property
    def placed(self) -> Placed: ...

    def begins(self, committed: Committed, /) -> bool: ...

    async def deliver(self, committed: Committed, /) -> None: ...

    def drop(self) -> None:
        """It is not delivered: what it holds is free again."""
        ...


@dataclass(slots=True)
class Placing:
    """What the intake has decided about one reading. The bodies in `large` are kept as claims and `entry` is committed.
    Then `messages` are published, and the `handed` copies delivered that this commit began. `offer` goes to the topic
    exchange of documents with its key; nobody waits for that. `copies`: those of `messages` that are the first for
    their route."""

    story: str = ""
    """The document and the table that decided about it: what is told of them once."""
    entry: Entry = field(default_factory=Entry)
    messages: list[Placed] = field(default_factory=list)
    copies: list[tuple[Route, Placed]] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    large: list[bytes] = field(default_factory=list)
    offer: tuple[str, Message] | None = None
    committed: Committed | None = None

    def place(self, queue: str, message: Message) -> None:
        self.messages.append(Placed(queue, message))

    def copy(self, route: Route, message: Message) -> None:
        """A first copy, for the queue of its route, unless it is handed over."""
        self.place(topology.route_queue(route.id), message)
        self.copies.append((route, self.messages[-1]))

    def hand_over(self, placed: Placed, handed: Handed) -> None:
        self.messages.remove(placed)
        self.handed.append(handed)

    def drop(self) -> None:
        """Nothing of it is committed: what was to be handed over is not."""
        for handed in self.handed:
            handed.drop()
        self.handed.clear()


async def carry_out(placing: Placing, journal: Journal, broker: Broker) -> Committed:
    """Returns when the rows are committed, every message is confirmed, and every copy that was handed over has its
    outcomes committed. Nothing is published before the commit, so that whoever receives a message finds what it refers
    to. Raises what `Journal.commit` and `place_all` raise."""
    try:
        for body in placing.large:
            kept = await asyncio.to_thread(journal.claims.keep, body)
            placing.entry.claim(kept, journal.clock())
        committed = placing.committed = await journal.commit(placing.entry)
    except BaseException:
        placing.drop()
        raise
    begun = [handed for handed in placing.handed if handed.begins(committed)]
    if len(begun) < len(placing.handed):
        for handed in placing.handed:
            if handed not in begun:
                handed.drop()
                placing.messages.append(handed.placed)
    if not begun:
        await place_all(broker, placing.messages)
        _offer(placing, broker)
        return committed
    _offer(placing, broker)  # it doesn't wait for a far end
    if len(begun) == 1 and not placing.messages:
        await begun[0].deliver(committed)
    else:
        works = (place_all(broker, placing.messages), *(handed.deliver(committed) for handed in begun))
        for ended in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
    return committed


def _offer(placing: Placing, broker: Broker) -> None:
    if placing.offer is not None:
        key, message = placing.offer
        offered = broker.publish(topology.DOCUMENTS, key, message, mandatory=False)
        asyncio.ensure_future(offered).add_done_callback(forget)


async def place_all(broker: Broker, messages: Sequence[Placed]) -> None:
    """Publishes to queues of the hub's own and waits for every confirm, also when one fails; then raises the first
    error.

    A queue that somebody has deleted is declared again, and the message published again. Raises TransientError when the
    broker can't take a message now, MessageError or RejectedError when it can never take it.
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
    """Waits until all of them are done and empties the list; only then raises the first error. Nothing goes on behind
    the caller's back, unless the caller is cancelled."""
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
