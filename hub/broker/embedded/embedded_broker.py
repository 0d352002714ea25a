"""The embedded broker: the same port as RabbitMQ, in process, durable in one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hub.broker.deadlines import Deadlines
from hub.broker.embedded.engine import EmbeddedPublication, Engine, Tap
from hub.broker.embedded.lock import FileLock
from hub.broker.embedded.store import TakenMessage
from hub.broker.properties import LARGEST_FRAME, check_names, check_size, decode_properties, encode_properties
from hub.core.broker import ConsumerArguments, DeliveryHandler, Origin
from hub.core.clock import Clock
from hub.core.errors import ConfigError, MessageError, TransientError
from hub.core.message import Message
from hub.core.topology import Binding, Topology

TIMEOUT = 30.0
"""Seconds that a declaration or a question may take."""

LARGEST_BODY = 500_000_000
"""Bytes; SQLite itself ends at twice that."""


class EmbeddedDelivery:
    """A message handed to a consumer of the embedded broker."""

    __slots__ = ("_id", "_open", "_subscription", "message", "origin", "redelivered")

    def __init__(self, subscription: EmbeddedSubscription, taken: TakenMessage) -> None:
        self._subscription = subscription
        self._id = taken.id
        self._open = True
        self.message = decode_properties(taken.properties, taken.body)
        self.origin = Origin(taken.exchange, taken.key)
        self.redelivered = taken.deliveries > 1

    def ack(self) -> None:
        if self._open:
            self._open = False
            self._subscription.settle(self._id, done=True)

    def requeue(self) -> None:
        if self._open:
            self._open = False
            self._subscription.settle(self._id, done=False)


class EmbeddedSubscription:
    """A running consumer. Acks of one turn of the event loop travel together."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        queue: str,
        handler: DeliveryHandler,
        prefetch: int,
        settling: set[EmbeddedSubscription],
        on_missing: Callable[[], None] | None = None,
    ) -> None:
        """`settling`: those of the broker that have something to hand over."""
        self._engine = engine
        self._clock = clock
        self._settling = settling
        self._on_missing = on_missing
        self._handler = handler
        self._active = True
        self._done: list[int] = []
        self._returned: list[int] = []
        self.tap = Tap(queue, prefetch, self._deliver)

    async def cancel(self) -> None:
        """No delivery arrives after this returns; those in flight may still be acked."""
        self._active = False
        async with self._clock.timeout(TIMEOUT):
            await self._engine.ask(lambda engine: engine.remove_tap(self.tap))

    def stop(self) -> None:
        self._active = False

    def missing(self) -> None:
        """Its queue was deleted. It serves the queue again when that is declared again."""
        if self._active and self._on_missing is not None:
            self._on_missing()

    def settle(self, id: int, *, done: bool) -> None:
        if not (self._done or self._returned):
            asyncio.get_running_loop().call_soon(self.flush)
            self._settling.add(self)
        (self._done if done else self._returned).append(id)

    def flush(self) -> None:
        """Hands over what was settled."""
        self._settling.discard(self)
        if self._done:
            self._engine.submit(partial(_finish, self.tap, tuple(self._done)))
            self._done.clear()
        if self._returned:
            self._engine.submit(partial(_give_back, self.tap, tuple(self._returned), True))
            self._returned.clear()

    def _deliver(self, messages: list[TakenMessage]) -> None:
        for at, taken in enumerate(messages):
            if not self._active:
                unseen = tuple(taken.id for taken in messages[at:])
                self._engine.submit(partial(_give_back, self.tap, unseen, False))
                return
            rest: list[TakenMessage] | None = messages[at + 1 :] if at + 1 < len(messages) else None
            try:
                self._handler(EmbeddedDelivery(self, taken))
                rest = None
            finally:
                if rest:  # the handler raised, which the event loop reports: its message stays unacknowledged
                    asyncio.get_running_loop().call_soon(self._deliver, rest)


def _finish(tap: Tap, ids: Sequence[int], engine: Engine) -> None:
    engine.finish(tap, ids)


def _give_back(tap: Tap, ids: Sequence[int], counted: bool, engine: Engine) -> None:
    engine.give_back(tap, ids, counted=counted)


class EmbeddedBroker:
    """Implements `hub.core.broker.BrokerLifecycle` in one process, which owns `path` by a file lock.

    A publish is confirmed after the commit that holds it (WAL, synchronous=FULL); what was in flight when the process
    died is delivered again with `redelivered`. It has no `reconnects`: the file is always there or the disk is broken.
    """

    reconnects = 0
    blocked = False

    def __init__(self, path: Path, clock: Clock, *, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._clock = clock
        self._timeout = timeout
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._engine: Engine | None = None
        self._subscriptions: list[EmbeddedSubscription] = []
        self._settling: set[EmbeddedSubscription] = set()
        self._waiting: Deadlines[asyncio.Future[None]] = Deadlines(_too_late, clock)

    @property
    def connected(self) -> bool:
        return self._engine is not None and self._engine.healthy

    async def open(self) -> None:
        """Raises ConfigError when another process owns the file, or when it is no such file."""
        try:
            self._lock.acquire(f"the broker file {self._path}")
        except OSError as error:
            raise ConfigError(f"the broker file {self._path} can't be used: {error}") from error
        engine = Engine(self._path, asyncio.get_running_loop(), self._clock)
        engine.start()
        try:
            await engine.opened
        except sqlite3.Error as error:
            self._lock.release()
            raise ConfigError(f"the broker file {self._path} can't be used: {error}") from error
        self._engine = engine

    async def close(self) -> None:
        """Publishes that were made before are still committed. Unacknowledged deliveries return to their queues."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        for subscription in self._subscriptions:
            subscription.stop()
            subscription.flush()
        self._subscriptions.clear()
        engine.stop()
        await engine.ended
        engine.join()
        for future in self._waiting.clear():
            if not future.done():
                future.set_exception(TransientError("the broker is closed", "unreachable"))
        self._lock.release()

    async def declare(self, topology: Topology) -> None:
        await self._ask(lambda engine: engine.store.declare(topology))

    def publish(
        self, exchange: str, key: str, message: Message, *, mandatory: bool = True, timeout: float = 30.0
    ) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        engine = self._engine
        if engine is None:
            future.set_exception(TransientError("the broker is closed", "unreachable"))
            return future
        try:
            properties = encode_properties(message.without_broker_headers())
            check_names(exchange, key)
            check_size(properties, LARGEST_FRAME)
            if len(message.body) > LARGEST_BODY:
                raise MessageError(f"a body of {len(message.body)} bytes, at most {LARGEST_BODY} fit")
        except MessageError as error:
            future.set_exception(error)
            return future
        engine.submit(EmbeddedPublication(exchange, key, properties, message.body, mandatory, future))
        self._waiting.add(future, timeout)
        future.add_done_callback(self._waiting.discard)
        return future

    async def consume(
        self,
        queue: str,
        handler: DeliveryHandler,
        *,
        prefetch: int = 100,
        arguments: ConsumerArguments | None = None,
        on_missing: Callable[[], None] | None = None,
    ) -> EmbeddedSubscription:
        if arguments is not None:
            raise ConfigError(f"queue {queue!r}: the embedded broker has no streams, RabbitMQ has")
        subscription = EmbeddedSubscription(
            self._running(), self._clock, queue, handler, prefetch, self._settling, on_missing
        )

        def start(engine: Engine) -> None:
            if engine.store.ready(queue) is None:
                raise ConfigError(f"queue {queue!r} doesn't exist at the broker")
            engine.add_tap(subscription.tap)

        await self._ask(start)
        self._subscriptions.append(subscription)
        return subscription

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]:
        found: dict[str, int | None] = await self._ask(lambda engine: {q: engine.store.ready(q) for q in queues})
        return found

    async def delete_queue(self, queue: str, *, if_empty: bool = True) -> bool:
        deleted = bool(await self._ask(lambda engine: engine.store.delete_queue(queue, if_empty=if_empty)))
        for subscription in self._subscriptions if deleted else ():
            if subscription.tap.queue == queue:
                subscription.missing()
        return deleted

    async def unbind(self, bindings: Sequence[Binding]) -> None:
        await self._ask(lambda engine: engine.store.catalogue.unbind(bindings))

    def _running(self) -> Engine:
        if self._engine is None:
            raise TransientError("the broker is closed", "unreachable")
        return self._engine

    async def _ask(self, question: Callable[[Engine], Any]) -> Any:
        for subscription in tuple(self._settling):
            subscription.flush()
        try:
            async with self._clock.timeout(self._timeout):
                return await self._running().ask(question)
        except TimeoutError:
            raise TransientError("the broker's file does not answer", "unreachable") from None


def _too_late(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TransientError("the broker's file did not commit in time", "timeout"))
