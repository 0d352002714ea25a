"""What the demo plays, and how each document has to come out."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.cli.site import command
from hub.core.outcome import State
from hub.demo.bolt import Bolt
from hub.demo.demo_site import DemoSite
from hub.journal.story import Story

FILES = (
    "acme-850-small.edi",
    "acme-850-rush.edi",
    "acme-850-large.edi",
    "acme-850-credit.edi",
    "acme-850-unknown-item.edi",
    "acme-850-one-bad.edi",
    "acme-850-test.edi",
    "acme-856-shipment.edi",
    "acme-810-invoice.edi",
    "acme-not-edi.edi",
)


PUBLISHED = (
    ("shop.events", "order.placed", "shop-order.json"),
    ("erp.events", "order.acknowledged", "erp-order-acknowledgment.json"),
    ("sales.events", "order.booked", "sales-order-east.json"),
    ("sales.events", "order.booked", "sales-order-west.json"),
    ("sales.events", "order.booked", "sales-order-locked.json"),
    ("sales.events", "order.booked", "sales-order-credit.json"),
    ("wms.events", "shipment.closed", "events/shipment-closed.json"),
    ("billing.events", "invoice.posted", "events/invoice-posted.json"),
)
"""Exchange, routing key, file: what internal systems say."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What `value` names must come out so: `status` is that of the effect, or of the dead letter where nothing was
    sent."""

    value: str
    what: str
    status: str
    destination: str = ""
    attempts: int = 1

    def judge(self, stories: Mapping[str, list[Story]]) -> str:
        """What is not as it should be; empty when all is right."""
        found = stories.get(self.value, [])
        if not found:
            return "nothing is known of it yet"
        state, attempts = self.state(found)
        if state != self.status:
            return f"is {state}, should be {self.status}"
        if attempts < self.attempts:
            return f"{attempts} attempts, should be {self.attempts}"
        return ""

    def state(self, found: list[Story]) -> tuple[str, int]:
        effects = [effect for story in found for effect in story.effects if effect.destination == self.destination]
        if effects:
            return effects[-1].status, effects[-1].attempts
        dead = [letter for story in found for letter in story.dead_letters]
        kinds = {"source": State.UNREADABLE, "unmatched": State.UNMATCHED, "route": State.DEAD}
        if dead and not self.destination:
            return kinds[dead[-1].kind], 1
        return "on its way", 0

    def as_dict(self, stories: Mapping[str, list[Story]], problem: str) -> dict[str, Any]:
        state, attempts = self.state(stories.get(self.value, []))
        return {
            "value": self.value,
            "what": self.what,
            "destination": self.destination or None,
            "status": state,
            "expected": self.status,
            "attempts": attempts,
            "ok": not problem,
            "problem": problem or None,
        }


PUBLISH_SECONDS = 30.0
"""How long the hub may take to publish one."""

BUSY: Mapping[str, int] = {"104587": 2}
"""Orders for which the ERP answers 503, and how often."""

HOLDS = frozenset({"104588"})
REFUSES = frozenset({"104589"})
LOCKED: Mapping[str, int] = {"SA-4403": 1}
"""Orders for which the older ERP's customer is locked, and how often."""

LEGACY_HOLDS = frozenset({"SA-4404"})

FETCHED = frozenset({"855", "997"})
"""The sets that BOLT finds in its folder."""

UPLOADED = frozenset({"856", "810"})
"""The sets that CORA has been sent."""

EXPECTED = (
    Expectation("104582", "850, an ordinary order, dropped twice", State.DELIVERED, "erp"),
    Expectation("104587", "850, while the ERP is busy", State.DELIVERED, "erp", attempts=3),
    Expectation("104583", "850 above 10,000: needs approval", State.DELIVERED, "approvals"),
    Expectation("104588", "850, customer over the credit limit", State.HELD, "erp"),
    Expectation("104589", "850 with an item that the ERP refuses", State.DEAD, "erp"),
    Expectation("104591", "850, first of three in one file", State.DELIVERED, "erp"),
    Expectation("acme-850-one-bad.edi", "850, second of the three: an impossible date", State.UNREADABLE),
    Expectation("104593", "850, third of three in one file", State.DELIVERED, "erp"),
    Expectation("999001", "850 of test traffic: no route takes it", State.UNMATCHED),
    Expectation("ASN0077120", "856, a ship notice", State.DELIVERED, "warehouse"),
    Expectation("INV-88120", "810, an invoice", State.DELIVERED, "finance"),
    Expectation("acme-not-edi.edi", "a spreadsheet in the wrong folder", State.UNREADABLE),
    Expectation("104582", "855, the ERP's answer to the order, for ACME", State.DELIVERED, "acme-out"),
    Expectation("1043", "997 for the large order", State.DELIVERED, "acme-out"),
    Expectation("1050", "997 for the three in one file: one is rejected", State.DELIVERED, "acme-out"),
    Expectation("WEB-7781342", "an order that the web shop published", State.DELIVERED, "erp"),
    Expectation("B-5501", "850 that BOLT dropped by SFTP", State.DELIVERED, "erp-confirming"),
    Expectation("B-5501", "855, what the ERP replied to it, for BOLT to fetch", State.DELIVERED, "bolt-out"),
    Expectation("2001", "997 for it", State.DELIVERED, "bolt-out"),
    Expectation("SA-4401", "an order of sales to Ohio: to the ERP behind REST", State.DELIVERED, "erp"),
    Expectation("SA-4402", "one to California: to the older ERP by SOAP", State.DELIVERED, "legacy"),
    Expectation("SA-4402", "what the older ERP replied, for the sales desk", State.DELIVERED, "sales-desk"),
    Expectation("SA-4403", "one to Nevada, while the customer is locked there", State.DELIVERED, "legacy", attempts=2),
    Expectation("SA-4404", "one to Washington: a fault that is a hold", State.HELD, "legacy"),
    Expectation("W-77122", "856, from what the warehouse published, to CORA by SFTP", State.DELIVERED, "cora-out"),
    Expectation("RE-90031", "810, from what billing published, to CORA by SFTP", State.DELIVERED, "cora-out"),
)


def play(stage: DemoSite, bolt: Bolt) -> None:
    """Drops the files and publishes what internal systems say. Ends the program when that is refused."""
    for name in FILES:
        stage.drop(name)
    stage.drop("acme-850-small.edi", "acme-850-small-again.edi")
    bolt.drop("bolt-850.edi", stage.fixture("bolt-850.edi").read_bytes())
    for exchange, key, name in PUBLISHED:
        body = base64.b64encode(stage.fixture(name).read_bytes()).decode()
        wanted = {"exchange": exchange, "key": key, "body": body, "content_type": "application/json"}
        command(stage.site, "publish", wanted, PUBLISH_SECONDS)


def sets(names: Iterable[str]) -> frozenset[str]:
    """`855_000000001.edi` is an 855."""
    return frozenset(name.partition("_")[0] for name in names)
