"""A RabbitMQ stream as a source: a log that is read, not emptied; how far it was read is remembered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from adapters.exchange.endpoint import AmqpEndpoint, BrokerOf
from adapters.exchange.source import arrival_of, rest
from hub.core.broker import Origin
from hub.core.context import Context
from hub.core.errors import HubError, JournalUnavailable, TransientError
from hub.core.plugin import Options
from hub.core.ports import Memory, Take
from hub.core.routing.given_facts import GivenFacts
from hub.core.topology import Queue, Topology

OFFSET = "x-stream-offset"
NEXT, SEEN = "next", "seen"

AHEAD = 1000
"""Messages for which the hub notes ahead that they may have been offered."""

KEEP_EVERY = 1.0
"""Seconds after which a new offset is remembered; after a crash what came since is read again, and recognised."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class StreamSourceOptions(Options):
    """A stream that other systems publish to."""

    endpoint: str | None = Field(None, description="The name of an `amqp` endpoint; without it the hub's own broker.")
    queue: str = Field(min_length=1, description="The stream.")
    declare: bool = Field(False, description="Declare it where it doesn't exist; else it must.")
    begin: Literal["first", "next"] | str = Field(
        "first",
        alias="from",
        description=(
            "Where the first reading begins: `first`, `next` (what comes from now on), or a time: 2026-03-01T00:00:00Z."
        ),
    )
    facts: GivenFacts = Field(
        default_factory=dict, description="What of a message becomes a fact: `region: header.x-region`."
    )
    prefetch: int = Field(200, ge=1, le=5000, description="How many messages may be in work at once.")

    def first_offset(self) -> Any:
        """As the broker wants it."""
        if self.begin in ("first", "next"):
            return self.begin
        at = datetime.fromisoformat(self.begin)
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def model_post_init(self, context: Any) -> None:
        try:
            self.first_offset()
        except ValueError:
            raise ValueError(
                f"from: {self.begin!r} is neither first nor next nor a time as 2026-03-01T00:00:00Z"
            ) from None


class Position:
    """How far a stream was read: all messages below `next` are taken."""

    def __init__(self, begin: int | None) -> None:
        self.next = begin
        self._done: set[int] = set()

    def done(self, offset: int) -> None:
        """Messages are finished in any order."""
        if self.next is None:
            self.next = offset
        self._done.add(offset)
        while self.next in self._done:
            self._done.remove(self.next)
            self.next += 1

    @property
    def is_whole(self) -> bool:
        """Whether no message was taken before one that wasn't."""
        return not self._done

    def began(self, offset: int) -> None:
        """The first message of all: nothing below it was asked for."""
        if self.next is None:
            self.next = offset


class Horizon:
    """How far the stream may have been offered to the intake. It is remembered ahead, so that a message that a crash
    brings again is known as such. Raises JournalUnavailable."""

    def __init__(self, memory: Memory, seen: int) -> None:
        self._memory = memory
        self._before = self._noted = seen
        self._noting = asyncio.Lock()

    async def offered_before(self, offset: int) -> bool:
        """Whether an earlier process may have offered this message. Once it is answered, this one may."""
        if offset >= self._noted:
            async with self._noting:
                if offset >= self._noted:
                    await self.note(offset + AHEAD)
        return offset < self._before

    async def note(self, end: int) -> None:
        """All that may have been offered stands below `end`."""
        await self._memory.put(SEEN, str(end))
        self._noted = end


class StreamSource:
    """Reads one stream, in one process at a time, from where it was read to. A message that the intake can't take holds
    the stream up until it can: nothing is passed over."""

    def __init__(
        self, name: str, options: StreamSourceOptions, context: Context, endpoint: AmqpEndpoint | None = None
    ) -> None:
        self._name = name
        self._options = options
        self._broker = BrokerOf(context.broker, endpoint)
        self._memory: Memory = context.memory(name)
        self._log, self._clock = context.log, context.clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._wrong: asyncio.Future[None] | None = None

    @property
    def sole(self) -> bool:
        return True

    def topology(self) -> Topology:
        return self._needed() if self._broker.is_own else Topology()

    def _needed(self) -> Topology:
        return Topology(queues=(Queue(self._options.queue, kind="stream"),)) if self._options.declare else Topology()

    async def run(self, take: Take) -> None:
        broker = await self._broker.ready(self._needed)
        remembered = await self._memory.get(NEXT)
        position = Position(int(remembered) if remembered else None)
        horizon = Horizon(self._memory, int(await self._memory.get(SEEN) or 0))
        kept = position.next
        stopping = asyncio.Event()
        wrong = self._wrong = asyncio.get_running_loop().create_future()

        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._take(delivery, take, position, horizon, stopping))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        def begin() -> dict[str, Any]:
            return {OFFSET: position.next if position.next is not None else self._options.first_offset()}

        subscription = await broker.consume(
            self._options.queue, on_delivery, prefetch=self._options.prefetch, arguments=begin
        )
        try:
            while not wrong.done():
                with suppress(TimeoutError):
                    async with self._clock.timeout(KEEP_EVERY):
                        await asyncio.wait({wrong})
                kept = await self._keep(position, kept)
            wrong.result()
        finally:
            stopping.set()
            await subscription.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._keep(position, kept)
            with suppress(JournalUnavailable):
                if position.next is not None and position.is_whole:
                    await horizon.note(position.next)

    async def _keep(self, position: Position, kept: int | None) -> int | None:
        if position.next is None or position.next == kept:
            return kept
        try:
            await self._memory.put(NEXT, str(position.next))
        except JournalUnavailable as error:
            self._log.warning("offset_not_kept", source=self._name, offset=position.next, error=str(error))
            return kept
        return position.next

    async def _take(
        self, delivery: Any, take: Take, position: Position, horizon: Horizon, stopping: asyncio.Event
    ) -> None:
        message, pause = delivery.message, FIRST_PAUSE
        offset = message.headers.get(OFFSET)
        if not isinstance(offset, int):
            self._ends(TransientError(f"{self._options.queue} is no stream: its messages have no offset", "failed"))
            return
        position.began(offset)
        if position.next is not None and offset < position.next:
            delivery.ack()  # a chunk of the stream may begin before the offset that was asked for
            return
        arrival = arrival_of(self._name, message, getattr(delivery, "origin", Origin()), self._options.facts)
        while not stopping.is_set():
            try:
                if not arrival.offered_again and await horizon.offered_before(offset):
                    arrival = replace(arrival, offered_again=True)
                await take(arrival)
            except Exception as error:  # noqa: BLE001
                # Whatever broke: a message that is forgotten here would hold the offset until the next restart, unsaid.
                text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
                self._log.warning("message_not_taken", source=self._name, offset=offset, error=text)
                arrival = replace(arrival, offered_again=True)
                await rest(self._clock, pause, stopping)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                position.done(offset)
                delivery.ack()
                return

    def _ends(self, error: TransientError) -> None:
        """The source can't go on."""
        if self._wrong is not None and not self._wrong.done():
            self._wrong.set_exception(error)
