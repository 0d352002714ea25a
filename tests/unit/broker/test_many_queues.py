"""What many routes ask of the embedded broker: a commit looks at the queues that changed, and at no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.broker.embedded.store import MessageStore, TakenMessage
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from hub.core.topology import Topology, route_topology

ROUTES = 200


async def test_a_commit_asks_only_for_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    take = MessageStore.take

    def noted(store: MessageStore, queue: str, limit: int) -> list[TakenMessage]:
        asked.append(queue)
        return take(store, queue, limit)

    monkeypatch.setattr(MessageStore, "take", noted)
    broker = EmbeddedBroker(tmp_path / "broker.db", SystemClock())
    await broker.open()
    try:
        names = [f"r{number}" for number in range(ROUTES)]
        await broker.declare(Topology.joined(map(route_topology, names)))
        for name in names:
            await broker.consume(f"hub.route.{name}", lambda delivery: delivery.ack())
        assert len(asked) <= 2 * ROUTES, "each new consumer asks for all the others"
        asked.clear()
        for number in range(10):
            await broker.publish("", "hub.route.r7", Message(str(number), b"{}"))
        assert set(asked) == {"hub.route.r7"}
    finally:
        await broker.close()
