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

        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._take(delivery, take))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        subscription = await self._broker.consume(
            source_queue(self._name), on_delivery, prefetch=self._options.prefetch
        )
        try:
            await asyncio.Event().wait()
        finally:
            await subscription.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _take(self, delivery: Delivery, take: Take) -> None:
        message = delivery.message
        pause = 0.1
        while True:
            try:
                await take(Arrival(self._name, BytesBody(message.body), message.id, arrival_headers(message)))
                delivery.ack()
            except TransientError as error:
                self._log.warning("message_not_taken", source=self._name, message_id=message.id, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            except asyncio.CancelledError:
                delivery.requeue()
                raise
            except HubError as error:
                self._log.warning("message_not_taken", source=self._name, message_id=message.id, error=str(error))
                await asyncio.sleep(RETURN_PAUSE)
                delivery.requeue()
            return


def arrival_headers(message: Message) -> dict[str, Any]:
    """The message's own headers, without what a broker or another hub wrote, and its correlation id."""
    kept = {
        name: value for name, value in message.without_broker_headers().headers.items() if not name.startswith("hub-")
    }
    if message.correlation_id:
        kept["correlation_id"] = message.correlation_id
    kept[Header.HOPS] = message.headers.get(Header.HOPS, 0)
    return kept


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
