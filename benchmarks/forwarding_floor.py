"""One hop through RabbitMQ: consume, publish, confirm, acknowledge; messages per second.

The plain aio-pika forwarder (callbacks, a prefetch, a window of confirms) is the floor that other benchmarks compare
with. Persistent messages, quorum queues, mandatory. Broker and client share the machine: trust the ratio.

    python -m benchmarks.forwarding_floor [--url amqp://...] [--messages 20000] [--size 1024] [--prefetch 100] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import uuid
from typing import Any

import aio_pika

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.rabbitmq import find_server, private_node

SIZE, PREFETCH, WINDOW = 1024, 100, 1000


class Hop:
    """Two queues, the first one full: what a forwarder is measured with. Use as `async with`."""

    def __init__(self, url: str, messages: int, size: int = SIZE) -> None:
        name = uuid.uuid4().hex[:8]
        self.first, self.second = f"bench.{name}.in", f"bench.{name}.out"
        self.messages = messages
        self._size = size
        self._broker = RabbitBroker(url, SystemClock(), name="benchmark")

    async def __aenter__(self) -> Hop:
        await self._broker.open()
        await self._broker.declare(Topology(queues=(Queue(self.first), Queue(self.second))))
        body = b"x" * self._size
        for start in range(0, self.messages, WINDOW):
            numbers = range(start, min(start + WINDOW, self.messages))
            headers = {"hub-route": "bench", "hub-attempt": 1}
            messages = [Message(f"{number:032x}", body, headers=headers) for number in numbers]
            await asyncio.gather(*(self._broker.publish("", self.first, message) for message in messages))
        return self

    async def __aexit__(self, *_: object) -> None:
        arrived = await self._broker.depths([self.second])
        await self._broker.delete_queue(self.first, if_empty=False)
        await self._broker.delete_queue(self.second, if_empty=False)
        await self._broker.close()
        if arrived[self.second] != self.messages:
            raise AssertionError(f"{arrived[self.second]} of {self.messages} messages arrived")


async def forward_plain(url: str, messages: int = 20_000, size: int = SIZE, prefetch: int = PREFETCH) -> float:
    """Messages per second of the plain aio-pika forwarder: each callback publishes, awaits its confirm and
    acknowledges; `prefetch` of them run at once, which is the window of confirms."""
    async with Hop(url, messages, size) as hop, await aio_pika.connect(url) as connection:
        consuming = await connection.channel(publisher_confirms=False)
        publishing = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await consuming.set_qos(prefetch_count=prefetch)
        queue = await consuming.get_queue(hop.first, ensure=False)
        forwarded, done = 0, asyncio.Event()

        async def forward(incoming: aio_pika.abc.AbstractIncomingMessage) -> None:
            nonlocal forwarded
            outgoing = aio_pika.Message(
                incoming.body,
                headers=incoming.headers,
                content_type=incoming.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=incoming.message_id,
            )
            await publishing.default_exchange.publish(outgoing, hop.second, mandatory=True)
            await incoming.ack()
            forwarded += 1
            if forwarded == messages:
                done.set()

        begun = time.perf_counter()
        await queue.consume(forward)
        await done.wait()
        return messages / (time.perf_counter() - begun)


async def forward_hub(url: str, messages: int = 20_000, size: int = SIZE, prefetch: int = PREFETCH) -> float:
    """Messages per second of the same hop with `RabbitBroker`."""
    broker = RabbitBroker(url, SystemClock(), name="forwarder")
    async with Hop(url, messages, size) as hop:
        await broker.open()
        forwarded, done = 0, asyncio.Event()

        def forward(delivery: Any) -> None:
            confirm = asyncio.ensure_future(broker.publish("", hop.second, delivery.message))
            confirm.add_done_callback(lambda finished: settle(delivery, finished))

        def settle(delivery: Any, finished: asyncio.Future[None]) -> None:
            nonlocal forwarded
            finished.result()
            delivery.ack()
            forwarded += 1
            if forwarded == messages:
                done.set()

        begun = time.perf_counter()
        await broker.consume(hop.first, forward, prefetch=prefetch)
        await done.wait()
        rate = messages / (time.perf_counter() - begun)
        await broker.close()
        return rate


async def compare(url: str, messages: int, size: int, prefetch: int) -> dict[str, float]:
    """Both, in turns, the better of two rounds each: the first round warms the broker up."""
    plain, hub = 0.0, 0.0
    for _ in range(2):
        plain = max(plain, await forward_plain(url, messages, size, prefetch))
        hub = max(hub, await forward_hub(url, messages, size, prefetch))
    return {"aio_pika_per_second": round(plain), "hub_per_second": round(hub), "ratio": round(hub / plain, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="a RabbitMQ to use; without it a private node is started")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--prefetch", type=int, default=PREFETCH)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.url:
        result = asyncio.run(compare(options.url, options.messages, options.size, options.prefetch))
    else:
        server = find_server()
        if server is None:
            parser.error("RabbitMQ isn't installed here: give --url, or run `python -m tests.support.provision`")
        with private_node(server) as node:
            result = asyncio.run(compare(node.url, options.messages, options.size, options.prefetch))
    if options.json:
        print(json.dumps(result))
        return
    print(f"plain aio-pika forwarder  {result['aio_pika_per_second']:>8,.0f} messages/s")
    print(f"RabbitBroker forwarder    {result['hub_per_second']:>8,.0f} messages/s   ratio {result['ratio']}")


if __name__ == "__main__":
    main()
