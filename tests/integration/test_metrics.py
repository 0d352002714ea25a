"""What the metrics say after every outcome that a document can have."""

from __future__ import annotations

from pathlib import Path

from hub.app.running_hub import RunningHub
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order

HELD = Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')


def value(hub: RunningHub, name: str, **labels: str) -> float:
    return hub.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_each_outcome_is_counted(tmp_path: Path, erp: Erp) -> None:
    script = {"hold": HELD, "no": Answer(422)}
    erp.script = lambda request: (
        Answer(503) if request.number == "busy" and request.times == 1 else script.get(request.number, Answer())
    )
    site = SiteOnDisk(tmp_path, erp.url)
    async with site.running() as hub:
        for number in ("ok", "busy", "hold", "no"):
            site.drop(f"{number}.json", order(number))
        site.drop("other.json", order("other", partner="BOLT"))
        site.drop("bad.json", b"{")
        route, erp_labels = {"route": "orders"}, {"route": "orders", "destination": "erp"}
        expected = {
            ("hub_arrivals_total", ("source", "inbox")): 6.0,
            ("hub_documents_read_total", ("source", "inbox"), ("document", "order")): 5.0,
            ("hub_unreadable_total", ("source", "inbox")): 1.0,
            ("hub_unmatched_total", ("source", "inbox")): 1.0,
            ("hub_copies_total", *route.items()): 4.0,
            ("hub_sent_total", *erp_labels.items()): 2.0,
            ("hub_retries_total", *erp_labels.items()): 1.0,
            ("hub_attempts_failed_total", *erp_labels.items(), ("error", "TransientError")): 1.0,
            ("hub_held_total", *route.items(), ("hold", "credit_hold")): 1.0,
            ("hub_dead_letters_total", ("kind", "route"), ("error", "RejectedError")): 1.0,
            ("hub_dead_letters_total", ("kind", "source"), ("error", "DecodeError")): 1.0,
            ("hub_dead_letters_total", ("kind", "unmatched"), ("error", "Unmatched")): 1.0,
            ("hub_in_flight", ("stage", "intake")): 0.0,
            ("hub_in_flight", ("stage", "route")): 0.0,
            ("hub_stage_seconds_count", ("stage", "send")): 2.0,
        }

        async def all_counted() -> bool:
            return {key: value(hub, key[0], **dict(key[1:])) for key in expected} == expected  # type: ignore[arg-type]

        await eventually(all_counted)
        await hub.measure()
        assert value(hub, "hub_broker_up") == 1.0
        assert value(hub, "hub_journal_up") == 1.0
        assert hub.metrics.registry.get_sample_value("hub_queue_messages", {"queue": "hub.route.orders"}) == 0.0
