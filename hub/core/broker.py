"""The port of a message broker. Its docstrings are the contract; one contract suite runs against both
implementations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from hub.core.message import Message
from hub.core.record import record
from hub.core.topology import Binding, Topology


class BrokerDelivery(Protocol):
    """One message handed to a consumer. Exactly one of `ack` and `requeue` is called, once, from the event loop; both
    return at once and may be coalesced. After the connection that delivered it has ended both do nothing: the broker
    delivers the message again."""

    @property
    def message(self) -> Message: ...

    @property
    def redelivered(self) -> bool:
        """True when an earlier delivery of this message was not acknowledged. False promises nothing."""
        ...

    def ack(self) -> None: ...

    def requeue(self) -> None: ...


@record
class Origin:
    """Where a delivery was published to: the exchange ("" for the default one) and the routing key."""

    exchange: str = ""
    key: str = ""


class Subscription(Protocol):
    """A running consumer. It survives broker restarts and lost connections by itself until it is cancelled."""

    async def cancel(self) -> None:
        """No delivery arrives after this returns; those in flight may still be acked."""
        ...


class Broker(Protocol):
    """A message broker. Nothing confirmed is lost; anything may be delivered again.

    - `declare` makes a topology exist. Idempotent. Raises TransientError(unreachable) when the broker is away for
      longer than its timeout, and ConfigError when something exists with other arguments or a passive exchange is
      missing.
    - `publish` returns once the broker has taken responsibility (confirm). With `mandatory` a message that reached no
      queue raises `Unroutable`; a nack (a full queue) raises TransientError(busy). When the connection is lost the same
      message is published again on the next one, until `timeout` seconds have passed: TransientError(unreachable or
      timeout). A message may thus arrive twice, with the same id; it never stays unconfirmed silently.
    - `consume` calls `handler(delivery)`, a plain function, on the event loop for every delivery, with at most
      `prefetch` unacknowledged. A missing queue raises ConfigError. `arguments()` is asked each time the consumer
      begins, also again after a lost connection: of a stream, where to begin (`x-stream-offset`); ConfigError where
      there are no streams. A queue that is deleted later ends no consumer: it tries again with growing pauses, and
      calls `on_missing`, a plain function, each time that the queue is gone.
    - `depths` counts messages ready in queues; None for a queue that doesn't exist.
    """

    async def declare(self, topology: Topology) -> None: ...

    def publish(
        self, exchange: str, key: str, message: Message, *, mandatory: bool = True, timeout: float = 30.0
    ) -> Awaitable[None]: ...

    async def consume(
        self,
        queue: str,
        handler: DeliveryHandler,
        *,
        prefetch: int = 100,
        arguments: ConsumerArguments | None = None,
        on_missing: Callable[[], None] | None = None,
    ) -> Subscription: ...

    async def depths(self, queues: Sequence[str]) -> dict[str, int | None]: ...

    @property
    def connected(self) -> bool:
        """Whether a publish made now would reach the broker."""
        ...


class BrokerLifecycle(Broker, Protocol):
    """What the composition root sees of a broker."""

    async def open(self) -> None:
        """Connects, waiting up to the broker's own timeout: TransientError(unreachable) after it."""
        ...

    async def close(self) -> None:
        """Ends consumers and the connection. Unacknowledged deliveries return to their queues."""
        ...

    async def delete_queue(self, queue: str, *, if_empty: bool = True) -> bool:
        """False when it was not there, or was not empty."""
        ...

    async def unbind(self, bindings: Sequence[Binding]) -> None:
        """The queues receive nothing more by these. Harmless where there is no such binding, queue or exchange."""
        ...


DeliveryHandler = Callable[[Any], None]
"""Takes a BrokerDelivery (with an `origin: Origin`)."""

ConsumerArguments = Callable[[], Mapping[str, Any]]
"""The broker's own arguments of a consumer that begins now."""
