"""What other systems publish, as a source: by a queue of the hub's own that is bound to their exchange, or from a queue
of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, model_validator

from adapters.exchange.endpoint import AmqpEndpoint, BrokerOf
from adapters.exchange.texts import arrival_headers, safe_text, stands
from hub.core.broker import BrokerDelivery, Origin
from hub.core.clock import Clock
from hub.core.context import Context
from hub.core.errors import HubError, JournalUnavailable, TransientError
from hub.core.message import Message
from hub.core.plugin import Options
from hub.core.ports import Arrival, BytesBody, Take
from hub.core.routing.given_facts import GivenFacts, take_given
from hub.core.topology import (
    ROUTE_DELIVERY_LIMIT,
    Binding,
    Exchange,
    ExchangeType,
    Queue,
    Topology,
    source_dead_queue,
    source_queue,
)

RETURN_PAUSE = 1.0
"""Seconds before a message that the intake could not take goes back to the broker."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between tries to take one while the journal or the broker is away."""

Argument = str | int | bool


class ExchangeSourceOptions(Options):
    """Messages that other systems publish."""

    endpoint: str | None = Field(None, description="The name of an `amqp` endpoint; without it the hub's own broker.")
    name: str | None = Field(None, min_length=1, description="The exchange.")
    type: ExchangeType = Field("topic", description="Its type, where the hub declares it.")
    arguments: dict[str, Argument] = Field(
        default_factory=dict, description="Its arguments, where the hub declares it: alternate-exchange."
    )
    passive: bool = Field(False, description="The exchange belongs to somebody else and must exist already.")
    key: str | None = Field(None, description="The routing key, or topic pattern, to bind; `#` without it.")
    keys: tuple[str, ...] = Field((), description="Several keys.")
    headers: dict[str, Argument] = Field(
        default_factory=dict, description="On a headers exchange: the headers that a message must have."
    )
    match: Literal["all", "any"] = Field("all", description="Whether all of `headers` must match, or any.")
    queue: str | None = Field(
        None,
        min_length=1,
        description="Take from this queue, which must exist already, instead of one bound to an exchange.",
    )
    facts: GivenFacts = Field(
        default_factory=dict,
        description=(
            "What of a message becomes a fact: `region: header.x-region`, `urgency: property.priority`, `topic: key`."
        ),
    )
    prefetch: int = Field(200, ge=1, le=5000, description="How many messages may be in work at once.")

    @model_validator(mode="after")
    def one_of(self) -> ExchangeSourceOptions:
        if (self.name is None) == (self.queue is None):
            raise ValueError("give the `name` of an exchange, or the `queue` to take from")
        if self.queue is not None and (self.key is not None or self.keys or self.headers or self.arguments):
            raise ValueError("an existing `queue` is taken from as it is: it needs no keys, headers or arguments")
        if self.key is not None and self.keys:
            raise ValueError("`key` and `keys` exclude each other")
        if self.headers and self.type != "headers":
            raise ValueError("`headers` belong to an exchange of type headers")
        if self.passive and self.arguments:
            raise ValueError("`arguments` are given where the hub declares the exchange; a passive one has its own")
        return self

    @property
    def bindings(self) -> tuple[str, ...]:
        return self.keys or (self.key if self.key is not None else "#",)


class ExchangeSource:
    """Consumes a durable queue of its own, `hub.source.<name>`, bound to the exchange: what is published while the hub
    is down waits there. Or a queue of somebody else's. A message is acknowledged once the intake has taken it."""

    def __init__(
        self, name: str, options: ExchangeSourceOptions, context: Context, endpoint: AmqpEndpoint | None = None
    ) -> None:
        self._name = name
        self._options = options
        self._broker = BrokerOf(context.broker, endpoint)
        self._log, self._clock = context.log, context.clock
        self._tasks: set[asyncio.Task[None]] = set()

    def topology(self) -> Topology:
        """What must exist at the hub's own broker."""
        return self._needed() if self._broker.is_own else Topology()

    def _needed(self) -> Topology:
        options = self._options
        if options.name is None:
            return Topology()
        queue, dead = source_queue(self._name), source_dead_queue(self._name)
        exchange = Exchange(options.name, options.type, options.passive, tuple(sorted(options.arguments.items())))
        headers = (("x-match", options.match), *sorted(options.headers.items())) if options.headers else ()
        bindings = tuple(Binding(options.name, queue, key, headers) for key in options.bindings)
        if not self._broker.is_own:
            return Topology((exchange,), (Queue(queue),), bindings)
        return Topology(
            (exchange,), (Queue(dead), Queue(queue, dead_letter=dead, delivery_limit=ROUTE_DELIVERY_LIMIT)), bindings
        )

    async def run(self, take: Take) -> None:
        broker = await self._broker.ready(self._needed)
        if self._broker.is_own:
            await broker.declare(self._needed())
        stopping = asyncio.Event()

        def on_delivery(delivery: Any) -> None:
            task = asyncio.create_task(self._take(delivery, take, stopping))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        queue = self._options.queue or source_queue(self._name)
        missing = asyncio.Event()
        subscription = await broker.consume(queue, on_delivery, prefetch=self._options.prefetch, on_missing=missing.set)
        try:
            await missing.wait()
            raise TransientError(f"the queue {queue} is gone: somebody has deleted it", "unreachable")
        finally:
            stopping.set()
            await subscription.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _take(self, delivery: BrokerDelivery, take: Take, stopping: asyncio.Event) -> None:
        """Acknowledges the delivery or gives it back; there is no third way out."""
        try:
            if await self._offer(delivery, take, stopping):
                delivery.ack()
            else:
                delivery.requeue()
        except asyncio.CancelledError:
            delivery.requeue()
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever broke: a delivery that is forgotten here would be lost to everybody until the next restart.
            await self._give_back(delivery, error, stopping)

    async def _offer(self, delivery: BrokerDelivery, take: Take, stopping: asyncio.Event) -> bool:
        """Offers it until the intake takes it, with pauses that grow; False when the source is stopped before that."""
        message, pause = delivery.message, FIRST_PAUSE
        arrival = arrival_of(
            self._name, message, getattr(delivery, "origin", Origin()), self._options.facts, again=delivery.redelivered
        )
        while not stopping.is_set():
            try:
                await take(arrival)
            except (TransientError, JournalUnavailable) as error:
                self._not_taken(message, error)
                arrival = replace(arrival, offered_again=True)
                await rest(self._clock, pause, stopping)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return True
        return False

    async def _give_back(self, delivery: BrokerDelivery, error: Exception, stopping: asyncio.Event) -> None:
        self._not_taken(delivery.message, error)
        try:
            await rest(self._clock, RETURN_PAUSE, stopping)
        finally:
            delivery.requeue()

    def _not_taken(self, message: Message, error: Exception) -> None:
        text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
        self._log.warning("message_not_taken", source=self._name, message_id=safe_text(message.id), error=text)


def arrival_of(
    source: str, message: Message, origin: Origin, facts: Mapping[str, str], *, again: bool = False
) -> Arrival:
    """A message as the intake takes it. `again`: the broker delivered it before."""
    known = take_given(facts, stands(message, origin.exchange, origin.key)) if facts else {}
    body, name = BytesBody(message.body), safe_text(message.id)
    return Arrival(source, body, name, arrival_headers(message), known, offered_again=again, kept=True)


async def rest(clock: Clock, pause: float, stopping: asyncio.Event) -> None:
    """Waits so long, or until the source is told to stop."""
    try:
        async with clock.timeout(pause):
            await stopping.wait()
    except TimeoutError:
        return
