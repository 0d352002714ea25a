"""Exchanges of the hub's own broker, as a source (through a durable queue of its own) and as a destination."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from pydantic import Field, model_validator

from hub.core.duration import Duration, seconds
from hub.core.errors import HubError, MappingError, RejectedError, TransientError, Unroutable
from hub.core.message import Header, Message
from hub.core.naming import render
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Arrival, Broker, BytesBody, Delivery, Outgoing, Receipt, Take
from hub.core.topology import (
    ROUTE_DELIVERY_LIMIT,
    Binding,
    Exchange,
    Queue,
    Topology,
    source_dead_queue,
    source_queue,
)

RETURN_PAUSE = 1.0
"""Seconds before a message that the intake could not take goes back to the broker."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between tries to take one while the journal or the broker is away."""

LONGEST_TEXT = 255
"""Bytes of a text that an AMQP property carries."""


class ExchangeSourceOptions(Options):
    """Messages that other systems publish."""

    name: str = Field(description="The exchange.")
    type: Literal["topic", "direct", "fanout", "headers"] = Field(
        "topic", description="Its type, where the hub declares it."
    )
    key: str | None = Field(None, description="The routing key, or topic pattern, to bind; `#` without it.")
    keys: tuple[str, ...] = Field((), description="Several keys.")
    passive: bool = Field(False, description="The exchange belongs to somebody else and must exist already.")
    prefetch: int = Field(200, ge=1, le=5000, description="How many messages may be in work at once.")

    @model_validator(mode="after")
    def one_of(self) -> ExchangeSourceOptions:
        if self.key is not None and self.keys:
            raise ValueError("`key` and `keys` exclude each other")
        return self

    @property
    def bindings(self) -> tuple[str, ...]:
        return self.keys or (self.key if self.key is not None else "#",)


class ExchangeSource:
    """Consumes a durable queue of its own, `hub.source.<name>`, bound to the exchange: what is published while the hub is
    down waits there. A message is acknowledged once the intake has taken it."""

    def __init__(self, name: str, options: ExchangeSourceOptions, context: Context) -> None:
        self._name = name
        self._options = options
        self._broker: Broker = context.broker
        self._log = context.log
        self._tasks: set[asyncio.Task[None]] = set()

    def topology(self) -> Topology:
        options, queue, dead = self._options, source_queue(self._name), source_dead_queue(self._name)
        return Topology(
            exchanges=(Exchange(options.name, options.type, options.passive),),
            queues=(Queue(dead), Queue(queue, dead_letter=dead, delivery_limit=ROUTE_DELIVERY_LIMIT)),
            bindings=tuple(Binding(options.name, queue, key) for key in options.bindings),
        )

    async def run(self, take: Take) -> None:
        await self._broker.declare(self.topology())

        stopping = asyncio.Event()

        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._take(delivery, take, stopping))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        subscription = await self._broker.consume(
            source_queue(self._name), on_delivery, prefetch=self._options.prefetch
        )
        try:
            await asyncio.Event().wait()
        finally:
            stopping.set()
            await subscription.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _take(self, delivery: Delivery, take: Take, stopping: asyncio.Event) -> None:
        """Acknowledges the delivery or gives it back; there is no third way out."""
        try:
            if await self._taken(delivery, take, stopping):
                delivery.ack()
            else:
                delivery.requeue()
        except asyncio.CancelledError:
            delivery.requeue()
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever broke: a delivery that is forgotten here would be lost to everybody until the next restart.
            await self._give_back(delivery, error, stopping)

    async def _taken(self, delivery: Delivery, take: Take, stopping: asyncio.Event) -> bool:
        """Offers it until the intake takes it, with pauses that grow; False when the source is stopped before that."""
        message, pause = delivery.message, FIRST_PAUSE
        arrival = Arrival(self._name, BytesBody(message.body), safe_text(message.id), arrival_headers(message))
        while not stopping.is_set():
            try:
                await take(arrival)
            except TransientError as error:
                self._not_taken(message, error)
                await rest(pause, stopping)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return True
        return False

    async def _give_back(self, delivery: Delivery, error: Exception, stopping: asyncio.Event) -> None:
        self._not_taken(delivery.message, error)
        try:
            await rest(RETURN_PAUSE, stopping)
        finally:
            delivery.requeue()

    def _not_taken(self, message: Message, error: Exception) -> None:
        text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
        self._log.warning("message_not_taken", source=self._name, message_id=safe_text(message.id), error=text)


async def rest(pause: float, stopping: asyncio.Event) -> None:
    """Waits so long, or until the source is told to stop."""
    try:
        await asyncio.wait_for(stopping.wait(), pause)
    except TimeoutError:
        return


def arrival_headers(message: Message) -> dict[str, Any]:
    """The message's own headers, and the three names that the hub itself listens to: `content_type` and `correlation_id`
    are those of the AMQP properties, the hops those that another hub counted. A publisher's header never steers the hub."""
    kept = {name: value for name, value in message.without_broker_headers().headers.items() if not is_ours(name)}
    if message.content_type:
        kept["content_type"] = safe_text(message.content_type)
    if message.correlation_id:
        kept["correlation_id"] = safe_text(message.correlation_id)
    hops = message.headers.get(Header.HOPS)
    kept[Header.HOPS] = max(hops, 0) if isinstance(hops, int) and not isinstance(hops, bool) else 0
    return kept


def is_ours(name: str) -> bool:
    lower = name.lower()
    return lower in ("content_type", "correlation_id") or lower.startswith("hub-")


def safe_text(value: object) -> str:
    """Text of at most 255 bytes, as AMQP carries it, in which every character can be printed."""
    text = "".join(character if character.isprintable() else "_" for character in str(value)[:LONGEST_TEXT])
    return text.encode()[:LONGEST_TEXT].decode(errors="ignore")


class ExchangeDestinationOptions(Options):
    """An exchange to publish to."""

    name: str = Field(description="The exchange. Empty: the default exchange, where `key` names a queue.")
    key: str = Field("{document}", description="The routing key; `{fact}` is substituted.")
    type: Literal["topic", "direct", "fanout", "headers"] = Field(
        "topic", description="Its type, where the hub declares it."
    )
    passive: bool = Field(False, description="The exchange belongs to somebody else and must exist already.")
    mandatory: bool = Field(True, description="A message that reaches no queue is a failure that is retried.")
    queue: str | None = Field(
        None, description="A durable queue to declare and bind with `#`, so that what is sent has a place at once."
    )
    timeout: Duration = Field("30s", description="How long to wait for the broker's confirm.")


class ExchangeDestination:
    """Publishes with confirm, and by default mandatory. The message id is the idempotency key, so that subscribers
    can recognise a repetition."""

    def __init__(self, options: ExchangeDestinationOptions, context: Context) -> None:
        self._options = options
        self._broker: Broker = context.broker
        self._timeout = seconds(options.timeout)
        self._fixed = None if "{" in options.key else options.key

    def topology(self) -> Topology:
        options = self._options
        exchanges = (Exchange(options.name, options.type, options.passive),) if options.name else ()
        if options.queue is None:
            return Topology(exchanges=exchanges)
        bindings = (Binding(options.name, options.queue, "#"),) if options.name else ()
        return Topology(exchanges=exchanges, queues=(Queue(options.queue),), bindings=bindings)

    async def send(self, outgoing: Outgoing) -> Receipt:
        try:
            key = self._fixed if self._fixed is not None else render(self._options.key, outgoing.facts)
        except MappingError as error:
            raise RejectedError(str(error), code="no_key") from error
        message = Message(
            id=outgoing.key,
            body=outgoing.body,
            content_type=outgoing.content_type,
            headers=outgoing.headers,
            correlation_id=outgoing.correlation_id,
            type=outgoing.document,
        )
        name = self._options.name
        try:
            await self._broker.publish(name, key, message, mandatory=self._options.mandatory, timeout=self._timeout)
        except Unroutable as error:
            raise TransientError(str(error), "unreachable") from error
        return Receipt("confirmed")

    async def close(self) -> None:
        return None


def build_source(name: str, options: Any, context: Context) -> ExchangeSource:
    return ExchangeSource(name, options, context)


def build_destination(name: str, options: Any, context: Context) -> ExchangeDestination:
    return ExchangeDestination(options, context)


PLUGINS = (
    Plugin(
        name="exchange",
        kind="source",
        options=ExchangeSourceOptions,
        summary="Takes what other systems publish to an exchange.",
        example="name: shop.events\nkey: order.placed\n",
        build=build_source,
    ),
    Plugin(
        name="exchange",
        kind="destination",
        options=ExchangeDestinationOptions,
        summary="Publishes each document to an exchange, confirmed and mandatory.",
        example='name: orders.approval\nkey: "{partner}"\n',
        build=build_destination,
        fact_templates=("key",),
    ),
)
