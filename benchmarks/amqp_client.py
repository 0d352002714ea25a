"""The hub's AMQP client alone: publish, consume and forward on RabbitMQ, messages per second and CPU time of a message.

`--beside TREE` lets the client of another checkout take turns with this one in the same run, and prints the medians of
the ratios: for a new release of aiormq, or a change to the client. Persistent messages of 1 KB with five headers,
quorum queues, mandatory.

    python -m benchmarks.amqp_client [--url amqp://...] [--messages 3000] [--rounds 20] [--beside ../other]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from hub.core.topology import Queue, Topology
from tests.support.rabbitmq import find_server, private_node

BODY = b"x" * 1024
HEADERS = {"hub-route": "bench", "hub-attempt": 1, "hub-source": "inbox", "hub-table": "1", "hub-first": "2026-12-01"}
WINDOW, PREFETCH = 500, 200
KINDS = ("publish", "forward", "consume")


class Countdown:
    """So many messages, and the time that they took."""

    def __init__(self, count: int) -> None:
        self._count = self._left = count
        self._done = asyncio.Event()
        self._begun, self._worked = time.perf_counter(), time.process_time()

    def count(self) -> None:
        self._left -= 1
        if not self._left:
            self._done.set()

    async def result(self) -> tuple[float, float]:
        """Messages per second, and microseconds of CPU time for each."""
        await self._done.wait()
        taken, worked = time.perf_counter() - self._begun, time.process_time() - self._worked
        return self._count / taken, worked / self._count * 1e6


async def measure(broker: RabbitBroker, first: str, second: str, count: int) -> dict[str, tuple[float, float]]:
    """One round: both queues are empty before and after it."""
    return {
        "publish": await _publish(broker, first, count),
        "forward": await _consume(broker, first, count, lambda countdown: _forwarder(broker, second, countdown)),
        "consume": await _consume(broker, second, count, _taker),
    }


async def _publish(broker: RabbitBroker, queue: str, count: int) -> tuple[float, float]:
    countdown, window = Countdown(count), asyncio.Semaphore(WINDOW)

    def confirmed(confirm: asyncio.Future[None]) -> None:
        confirm.result()
        window.release()
        countdown.count()

    for number in range(count):
        await window.acquire()
        message = Message(f"{number:032x}", BODY, headers=HEADERS)
        asyncio.ensure_future(broker.publish("", queue, message)).add_done_callback(confirmed)
    return await countdown.result()


async def _consume(
    broker: RabbitBroker, queue: str, count: int, handler: Callable[[Countdown], Callable[[Any], None]]
) -> tuple[float, float]:
    countdown = Countdown(count)
    subscription = await broker.consume(queue, handler(countdown), prefetch=PREFETCH)
    result = await countdown.result()
    await subscription.cancel()
    return result


def _taker(countdown: Countdown) -> Callable[[Any], None]:
    def take(delivery: Any) -> None:
        delivery.ack()
        countdown.count()

    return take


def _forwarder(broker: RabbitBroker, target: str, countdown: Countdown) -> Callable[[Any], None]:
    def forward(delivery: Any) -> None:
        def confirmed(confirm: asyncio.Future[None]) -> None:
            confirm.result()
            delivery.ack()
            countdown.count()

        asyncio.ensure_future(broker.publish("", target, delivery.message)).add_done_callback(confirmed)

    return forward


async def work(url: str) -> None:
    """A round for each line of stdin, which says how many messages it has; its result is a line of JSON."""
    broker = RabbitBroker(url, SystemClock(), name="benchmark")
    first, second = (f"bench.{uuid.uuid4().hex[:8]}" for _ in range(2))
    await broker.open()
    await broker.declare(Topology(queues=(Queue(first), Queue(second))))
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(json.dumps(await measure(broker, first, second, int(line))), flush=True)
    for queue in (first, second):
        await broker.delete_queue(queue, if_empty=False)
    await broker.close()


class Worker:
    """A process that measures the client of one checkout."""

    def __init__(self, tree: Path, url: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.amqp_client", "--worker", "--url", url],
            cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def round(self, messages: int) -> dict[str, tuple[float, float]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(messages, file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)  # type: ignore[no-any-return]
        raise RuntimeError("the worker has ended: see its errors above")

    def close(self) -> None:
        self._process.communicate("\n", timeout=60)


def compare(workers: list[Worker], messages: int, rounds: int) -> list[list[dict[str, tuple[float, float]]]]:
    """The rounds of each worker; they take turns, and who begins changes. The first round of all warms up."""
    results: list[list[dict[str, tuple[float, float]]]] = [[] for _ in workers]
    for number in range(rounds + 1):
        order = list(zip(workers, results, strict=True))
        for worker, result in order if number % 2 else reversed(order):
            result.append(worker.round(messages))
    return [result[1:] for result in results]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="a RabbitMQ to use; without it a private node is started")
    parser.add_argument("--messages", type=int, default=3000, help="of a round")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--beside", type=Path, help="another checkout")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        asyncio.run(work(options.url))
        return
    trees = [Path(__file__).resolve().parents[1], *([options.beside.resolve()] if options.beside else [])]
    with ExitStack() as stack:
        server = None if options.url else find_server()
        if not options.url and server is None:
            parser.error("RabbitMQ isn't installed here: give --url, or run `python -m tests.support.provision`")
        url = options.url or stack.enter_context(private_node(server)).url  # type: ignore[arg-type]
        workers = [Worker(tree, url) for tree in trees]
        for worker in workers:
            stack.callback(worker.close)
        results = compare(workers, options.messages, options.rounds)
    for kind in KINDS:
        rates, costs = ([[round[kind][n] for round in result] for result in results] for n in (0, 1))
        line = f"{kind:8} {statistics.median(rates[0]):8,.0f} messages/s   {statistics.median(costs[0]):5.1f} us of CPU"
        if len(trees) > 1:
            rate = statistics.median(ours / theirs for ours, theirs in zip(*rates, strict=True))
            cost = statistics.median(ours / theirs for ours, theirs in zip(*costs, strict=True))
            line += f"   beside the other: rate {rate:.2f}, CPU {cost:.2f}"
        print(line)


if __name__ == "__main__":
    main()
