"""Documents end to end: 1 KB JSON orders in from an exchange, read, matched, journaled, routed to an exchange.

Beside it, in the same run and on the same node, the plain aio-pika forwarder of one hop
(`benchmarks.forwarding_floor`), which validates, decides and journals nothing. Printed as a ratio; latency percentiles
at half of the hub's own rate. Of the hub's process: CPU a document by thread, messages in flight, copies that were
handed over, and CPU while nothing comes in.

    python -m benchmarks.end_to_end [--documents 20000] [--variant plain|queue|once] [--prefetch 200] [--json]

`queue`: no copy is handed over. `once`: the route has a once-key, and a template makes what is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.forwarding_floor import forward_plain
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from hub.core.topology import Binding, Exchange, Queue, Topology
from hub.documents import Order, to_json
from tests.support.rabbitmq import find_server, private_node
from tests.support.site import HubProcess, SiteOnDisk

SIZE = 1024
QUEUE = "bench.out"

ROUTES = """\
format: 1
owner: bench
sources:
  shop:
    exchange: {name: bench.in, key: order, prefetch: 200}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [out]
"""

TEMPLATE = (
    '{"order": "{{ document.number }}", "lines": [{% for line in document.lines %}{{ line.quantity }}{{ "," if not'
    " loop.last }}{% endfor %}]}"
)

PREFETCH = 200
"""Messages in work at once: the default of a source."""

VARIANTS = ("plain", "queue", "once")


class Processor:
    """CPU seconds of a process, of its event loop's thread and of the others."""

    TICKS = os.sysconf("SC_CLK_TCK")

    def __init__(self, process: int) -> None:
        self._process = process

    def seconds(self) -> tuple[float, float]:
        loop = others = 0.0
        for task in Path(f"/proc/{self._process}/task").iterdir():
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            used = (int(fields[11]) + int(fields[12])) / self.TICKS
            if task.name == str(self._process):
                loop += used
            else:
                others += used
        return loop, others


def make_order(number: int) -> bytes:
    """An order of about a kilobyte."""
    party = {"role": "ship_to", "name": "ACME STORE 0014", "address": {"lines": ["118 MAIN ST"], "city": "NEW PALTZ"}}
    line = {"number": "1", "quantity": "24", "unit": "EA", "price": "12.75", "products": {"UP": "036000291452"}}
    order = {"number": str(number), "partner": "ACME", "currency": "USD", "parties": [party], "lines": [line] * 5}
    short = len(to_json(Order.model_validate(order)))
    notes = [{"text": "x" * max(1, SIZE - short - 24)}]
    return to_json(Order.model_validate({**order, "notes": notes}))


class Bench:
    """A hub process on a RabbitMQ node, fed and emptied by this process."""

    def __init__(self, folder: Path, url: str, variant: str = "plain", prefetch: int = PREFETCH) -> None:
        self.site = SiteOnDisk(folder, amqp=url)
        write = "  write: {template: order.json.j2}\n" if variant == "once" else ""
        self.site.write(
            "config/destinations.yaml", f'out:\n  exchange: {{name: bench.out, key: all, queue: "{QUEUE}"}}\n{write}'
        )
        self.site.write("routes/templates/order.json.j2", TEMPLATE)
        if variant == "queue":
            settings = (folder / "config/hub.yaml").read_text()
            self.site.write("config/hub.yaml", f"{settings}hand_over: false\n")
        for name in ("endpoints", "policies"):
            (folder / "config" / f"{name}.yaml").unlink()
        once = "    once: [partner, number]\n" if variant == "once" else ""
        routes = ROUTES.replace("    to: [out]", f"{once}    to: [out]")
        self.site.write("routes/acme.yaml", routes.replace(f"prefetch: {PREFETCH}", f"prefetch: {prefetch}"))
        self.process = HubProcess(self.site)
        self.broker = RabbitBroker(url, SystemClock(), name="bench")
        self._next = 10_000_000
        self._begun = (0.0, 0.0)
        self.cost: dict[str, float] = {}

    async def open(self) -> None:
        await self.broker.open()
        queues = (Queue(QUEUE), Queue("hub.source.shop.dead"))
        source = Queue("hub.source.shop", dead_letter="hub.source.shop.dead", delivery_limit=1000)
        exchanges = (Exchange("bench.in"), Exchange("bench.out"))
        bindings = (Binding("bench.in", "hub.source.shop", "order"), Binding("bench.out", QUEUE, "#"))
        await self.broker.declare(Topology(exchanges, (*queues, source), bindings))

    async def feed(self, first: int, count: int) -> None:
        window: list[Any] = []
        for number in range(first, first + count):
            window.append(self.broker.publish("bench.in", "order", Message(f"b{number}", make_order(number))))
            if len(window) >= 200:
                for confirm in window:
                    await confirm
                window.clear()
        for confirm in window:
            await confirm

    async def drain(self, count: int) -> tuple[float, set[str]]:
        """(seconds from the first to the last document that arrived at the far exchange, their message ids)."""
        seen: dict[str, float] = {}
        done = asyncio.Event()

        def arrived(delivery: Any) -> None:
            if not seen:
                self._begun = Processor(self.process.process_id).seconds()
            seen.setdefault(delivery.message.id, time.perf_counter())
            delivery.ack()
            if len(seen) >= count:
                done.set()

        subscription = await self.broker.consume(QUEUE, arrived, prefetch=500)
        async with asyncio.timeout(300):
            await done.wait()
        await subscription.cancel()
        return max(seen.values()) - min(seen.values()), set(seen)

    async def throughput(self, count: int) -> float:
        """Documents a second: the queue is full when the hub starts, so that only the hub is measured."""
        await self.feed(0, count)
        self.process.start()
        drained = asyncio.ensure_future(self.drain(count))
        levels: list[float] = []
        while not (await asyncio.wait({drained}, timeout=0.25))[0]:
            levels.append(sum(await asyncio.to_thread(self.metric, "hub_in_flight")))
        seconds, ids = drained.result()
        assert len(ids) == count
        processor = Processor(self.process.process_id)
        loop, others = (now - begun for now, begun in zip(processor.seconds(), self._begun, strict=True))
        self.cost = {
            "loop_ms": loop / count * 1000,
            "threads_ms": others / count * 1000,
            "in_flight": max(levels, default=0.0),
            "handed_over": sum(await asyncio.to_thread(self.metric, "hub_handed_over_total")) / count,
        }
        return count / seconds

    def metric(self, name: str) -> list[float]:
        """The values of a metric of the hub, over all labels."""
        _, text = self.process.get("/metrics")
        return [float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name}{{")]

    async def idle(self, seconds: float = 4.0) -> float:
        """The part of a core that the hub takes while nothing comes in."""
        processor = Processor(self.process.process_id)
        begun = sum(processor.seconds())
        await asyncio.sleep(seconds)
        return (sum(processor.seconds()) - begun) / seconds

    async def latency(self, rate: float, seconds: float = 8.0) -> dict[str, float]:
        """Milliseconds from publishing to arrival, at a steady rate of documents a second."""
        await asyncio.to_thread(self.process.wait_ready)
        sent: dict[str, float] = {}
        took: list[float] = []

        def arrived(delivery: Any) -> None:
            delivery.ack()
            body = json.loads(delivery.message.body)
            begun = sent.get(body.get("number") or body["order"])
            if begun is not None:
                took.append((time.perf_counter() - begun) * 1000)

        subscription = await self.broker.consume(QUEUE, arrived, prefetch=500)
        count = int(rate * seconds)
        names = range(self._next, self._next + count)
        self._next += count
        bodies = [(name, make_order(name)) for name in names]
        confirms: list[Any] = []
        start, number = time.perf_counter(), 0
        while number < count:
            due = min(count, int((time.perf_counter() - start) * rate))
            for name, body in bodies[number:due]:
                sent[str(name)] = time.perf_counter()
                confirms.append(self.broker.publish("bench.in", "order", Message(f"b{name}", body)))
            number = max(number, due)
            await asyncio.sleep(0.002)
        for confirm in confirms:
            await confirm
        async with asyncio.timeout(30):
            while len(took) < number:
                await asyncio.sleep(0.05)
        await subscription.cancel()
        cuts = statistics.quantiles(took, n=1000)
        return {
            "p50": cuts[499],
            "p95": cuts[949],
            "p99": cuts[989],
            "max": max(took),
            "rate": rate,
            "documents": number,
        }

    async def close(self) -> None:
        """Ends the hub, whatever has happened."""
        try:
            if self.process.running:
                await asyncio.to_thread(self.process.stop)
        finally:
            self.process.kill()
        await self.broker.close()


@contextmanager
def node(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    server = find_server()
    if server is None:
        raise SystemExit("RabbitMQ is not installed: give --url, or run `python -m tests.support.provision rabbitmq`")
    with private_node(server) as private:
        yield private.url


async def measure(url: str, documents: int, variant: str, prefetch: int = PREFETCH) -> dict[str, Any]:
    plain = await forward_plain(url, documents)
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        bench = Bench(Path(folder), url, variant, prefetch)
        try:
            await bench.open()
            rate = await bench.throughput(documents)
            idle = await bench.idle()
            latency = await bench.latency(rate / 2)
        finally:
            await bench.close()
    return {
        "variant": variant,
        "documents": documents,
        "cpu": bench.cost,
        "idle": idle,
        "bytes": len(make_order(1)),
        "hub_per_second": rate,
        "plain_aio_pika_per_second": plain,
        "ratio": rate / plain,
        "latency_ms": latency,
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--url", help="a RabbitMQ node; without it a private one is started")
    parser.add_argument("--variant", choices=VARIANTS, default="plain")
    parser.add_argument("--prefetch", type=int, default=PREFETCH)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with node(arguments.url) as url:
        found = asyncio.run(measure(url, arguments.documents, arguments.variant, arguments.prefetch))
    if arguments.json:
        print(json.dumps(found))
        return
    latency = found["latency_ms"]
    print(
        f"{found['documents']} documents of {found['bytes']} bytes, {found['cores']} cores, broker on the same machine"
    )
    print(f"  hub (two hops, validated, decided, journaled)  {found['hub_per_second']:8.0f} documents/s")
    print(f"  plain aio-pika forwarder (one hop)             {found['plain_aio_pika_per_second']:8.0f} messages/s")
    print(f"  ratio                                          {found['ratio']:8.2f}")
    cpu = found["cpu"]
    print(
        f"  CPU a document: event loop {cpu['loop_ms']:.2f} ms, other threads {cpu['threads_ms']:.2f} ms; idle"
        f" {found['idle']:.1%} of a core"
    )
    print(f"  in flight at most {cpu['in_flight']:.0f}; handed over {cpu['handed_over']:.0%} of the documents")
    print(
        f"  latency at {latency['rate']:.0f}/s: p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f}, p99"
        f" {latency['p99']:.1f}"
    )


if __name__ == "__main__":
    main()
