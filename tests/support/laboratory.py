"""The fault laboratory: numbered documents, several hubs on one site, far ends that count; sets are compared at the
end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from tests.support.erp import Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.site import HubProcess, SiteOnDisk, order

SPEEDS = {"fast": 0.0, "slow": 0.3}
"""Seconds that each destination of the laboratory takes to answer."""

DESTINATIONS = (
    "".join(f"{name}:\n  rest: {{endpoint: erp, call: POST /{name}}}\n  retry: patient\n" for name in SPEEDS)
    + 'written:\n  file: {folder: var/out, name: "{number}.json"}\n  retry: patient\n'
)

ROUTES = """\
format: 1
owner: order-desk
sources:
  inbox:
    file: {folder: var/drop, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: {json: order@1}
  shop:
    exchange: {name: shop.events, key: order.placed}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [fast, slow, written]
"""


def order_of(number: str, size: int) -> bytes:
    """An order in canonical JSON of exactly so many bytes."""
    bare = len(order(number, notes=[{"text": "x"}])) - 1
    body = order(number, notes=[{"text": "x" * max(size - bare, 1)}])
    assert len(body) == max(size, bare + 1)
    return body


def equip(site: SiteOnDisk, erp: Erp) -> None:
    """Three destinations of different speed, and a retry class that outlives every fault of the laboratory."""
    erp_of = f'erp: {{rest: {{base: "{erp.url}", timeout: 30s, connections: 50}}}}\n'
    site.write("config/endpoints.yaml", erp_of)
    delays = ", ".join(["500ms"] * 5 + ["1s"] * 10)
    kinds = "unreachable, timeout, busy, failed"
    site.write("config/policies.yaml", f"retry:\n  patient: {{delays: [{delays}], on: [{kinds}]}}\n")
    site.write("config/destinations.yaml", DESTINATIONS)
    site.write("routes/acme.yaml", ROUTES)


@dataclass
class Laboratory:
    """Hubs on one site, and what became of the numbered documents that were given to it."""

    site: SiteOnDisk
    erp: Erp
    forks: HubForks
    numbers: set[str] = field(default_factory=set)
    hubs: list[HubProcess] = field(default_factory=list)

    def start(self, count: int) -> None:
        for _ in range(count):
            hub = ForkedHub(self.site, self.forks)
            hub.name = f"hub-{len(self.hubs)}"
            hub.start()
            self.hubs.append(hub)
        for hub in self.hubs:
            hub.wait_ready()

    def restart(self, at: int) -> None:
        """SIGKILL, and a new process in its place."""
        self.hubs[at].kill()
        self.hubs[at].start()

    def close(self) -> None:
        for hub in self.hubs:
            hub.kill()

    def drop(self, bodies: Iterable[tuple[str, bytes]]) -> None:
        for number, body in bodies:
            self.numbers.add(number)
            self.site.drop(f"{number}.json", body)

    def publish(self, bodies: Iterable[tuple[str, bytes]]) -> None:
        """To the exchange, confirmed."""
        told = list(bodies)
        self.numbers |= {number for number, _ in told}

        async def work() -> None:
            broker = RabbitBroker(self.site.environ["HUB_AMQP_URL"], SystemClock(), name="shop")
            await broker.open()
            await asyncio.gather(*(broker.publish("shop.events", "order.placed", Message(n, b)) for n, b in told))
            await broker.close()

        asyncio.run(work())

    def wait_delivered(self, seconds: float = 90.0) -> None:
        """Until every document has arrived at every destination, and every effect is recorded."""
        deadline = time.monotonic() + seconds
        while missing := self.missing():
            assert time.monotonic() < deadline, f"lost or stuck: {missing}\n{self.log_tails()}"
            time.sleep(0.1)

    def missing(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in SPEEDS:
            there = {request.number for request in self.erp.requests if request.path == f"/{name}"}
            if self.numbers - there:
                found[name] = sorted(self.numbers - there)[:10]
        written = {path.stem for path in (self.site.folder / "var/out").glob("*.json")}
        if self.numbers - written:
            found["written"] = sorted(self.numbers - written)[:10]
        if not found:
            found |= {status: count for status, count in self.effects().items() if status != "delivered"}
            if self.effects().get("delivered", 0) != 3 * len(self.numbers):
                found["recorded"] = self.effects()
        return found

    def effects(self) -> dict[str, int]:
        with psycopg.connect(self.site.environ["HUB_JOURNAL"]) as connection:
            rows = connection.execute("SELECT status, count(*) FROM effect GROUP BY status").fetchall()
        return {str(status): int(count) for status, count in rows}

    def delivered(self, destination: str) -> set[str]:
        """The numbers whose delivery there is recorded."""
        query = (
            "SELECT message.number FROM effect JOIN message ON message.id = effect.document_id"
            " WHERE effect.status = 'delivered' AND effect.destination = %s"
        )
        with psycopg.connect(self.site.environ["HUB_JOURNAL"]) as connection:
            return {str(row[0]) for row in connection.execute(query, (destination,)).fetchall()}

    def dead(self) -> list[str]:
        with psycopg.connect(self.site.environ["HUB_JOURNAL"]) as connection:
            return [str(row[0]) for row in connection.execute("SELECT cause FROM dead_letter").fetchall()]

    def check(self) -> None:
        """Nothing is lost, dead, or sent under two keys or with two bodies."""
        self.wait_delivered()
        assert self.dead() == []
        keys: dict[tuple[str, str], set[tuple[str, bytes]]] = {}
        for request in self.erp.requests:
            keys.setdefault((request.path, request.number), set()).add((request.key, request.body))
        doubled = {place: len(sent) for place, sent in keys.items() if len(sent) > 1}
        assert doubled == {}, "one document went under several keys, or with several bodies"

    def repeated(self) -> int:
        """How often a request was sent again under its key: what no reply was recorded for."""
        return sum(1 for request in self.erp.requests if request.times > 1)

    def log_tails(self) -> str:
        return "\n".join(f"{hub.log.name}: {hub.log.read_text()[-1500:]}" for hub in self.hubs if hub.log.exists())

    def is_ready(self, at: int) -> bool:
        return self.hubs[at].get("/health/ready")[0] == 200

    def readiness(self, at: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.hubs[at].get("/health/ready")[1]))
