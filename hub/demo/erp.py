"""The demo's ERP: it takes some orders, is busy for one, holds one, and refuses one. What it takes it confirms, line by
line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from hub.clock.system_clock import SystemClock
from hub.core.clock import read_utc
from hub.demo.web_server import Answer

STOCK = 100
"""What it has of every item; the rest of a line goes on back order."""


@dataclass(slots=True)
class Erp:
    """What it is told of order numbers: `busy` maps one to how many times it answers 503; `hold` wants a decision about
    credit the first time; `refuse` is never taken."""

    busy: Mapping[str, int] = field(default_factory=dict)
    hold: frozenset[str] = frozenset()
    refuse: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)
    taken: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST /orders."""
        try:
            order = json.loads(body)
            status, value = self.answer(str(order["number"]), headers.get("Idempotency-Key", ""), order)
        except (ValueError, KeyError, TypeError):
            status, value = 400, {"error": {"code": "BAD_REQUEST"}}
        return status, json.dumps(value).encode()

    def answer(self, number: str, key: str, order: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.seen[number] += 1
            times = self.seen[number]
            if times <= self.busy.get(number, 0):
                return 503, {"error": {"code": "BUSY", "message": "month end is running"}}
            if number in self.hold and times == 1:
                return 409, {"error": {"code": "CREDIT_HOLD", "message": "the customer is over the credit limit"}}
            if number in self.refuse:
                return 422, {"error": {"code": "UNKNOWN_ITEM", "message": "the item is not in the catalogue"}}
            self.taken[number] = key
            return 201, {"id": f"SO-{90000 + len(self.taken)}", "number": number, **confirmation(order)}


def confirmation(order: Mapping[str, Any]) -> dict[str, Any]:
    """What is confirmed of each line."""
    lines = [{**line, "confirmed": str(min(int(line["quantity"]), STOCK))} for line in order["lines"]]
    return {
        "ordered_on": order["date"],
        "confirmed_on": read_utc(SystemClock()).date().isoformat(),
        "complete": all(line["confirmed"] == line["quantity"] for line in lines),
        "lines": lines,
    }
