"""What one guard costs: a `Condition` beside the same test written by hand in Python, without its checks.

    python -m benchmarks.guards [--json] [--rounds 40]

CPU time, medians of rounds that take turns. The claim: one guard costs less than matching one document against ten
routes. Exit code 1 when a guard breaks it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from statistics import median
from time import process_time
from typing import Any

from benchmarks.routing import FACTS as ROUTING_FACTS
from benchmarks.routing import few_shapes
from hub.core.routing.condition import Condition
from hub.core.routing.facts import BUILT_IN, Fact
from hub.core.routing.route_table import RouteTable

LIMIT = 1.0
CALLS = 500
KNOWN = {**BUILT_IN, "due": Fact("due", "date"), "state": Fact("state", "text", optional=True)}
FACTS: Mapping[str, Any] = {**ROUTING_FACTS, "due": date(2026, 1, 31), "state": None}
WEST = ("WA", "OR", "CA")
ALPHA = re.compile("^[A-Z]+$")

GUARDS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bool]]] = {
    "text": ('partner == "ACME"', lambda facts: facts["partner"] == "ACME"),
    "money": ("total >= 10000", lambda facts: facts["total"] >= 10000),
    "money and text": (
        'total >= 10000.50 && currency == "USD"',
        lambda facts: facts["total"] >= Decimal("10000.50") and facts["currency"] == "USD",
    ),
    "arithmetic": ("total * 0.05 > 100", lambda facts: facts["total"] * Decimal("0.05") > 100),
    "in": (
        'partner in ["BOLT", "CORA", "ACME"]',
        lambda facts: facts["partner"] in ["BOLT", "CORA", "ACME"],
    ),
    "methods": (
        'partner.startsWith("AC") || partner.contains("-EAST")',
        lambda facts: facts["partner"].startswith("AC") or "-EAST" in facts["partner"],
    ),
    "matches": ('partner.matches("^[A-Z]+$")', lambda facts: ALPHA.search(facts["partner"]) is not None),
    "date": ('due < "2026-02-01"', lambda facts: facts["due"].isoformat() < "2026-02-01"),
    "missing": (
        'has(state) && state in ["WA", "OR", "CA"]',
        lambda facts: facts["state"] is not None and facts["state"] in WEST,
    ),
}


@dataclass(frozen=True)
class Result:
    """Microseconds of one evaluation, and its ratios to the guard by hand and to the matching of ten routes."""

    guard: str
    condition_us: float
    by_hand_us: float
    against_hand: float
    against_match: float


def measure(rounds: int) -> list[Result]:
    table = RouteTable(few_shapes(10))
    acts: dict[str, Callable[[], object]] = {"match": partial(table.match, ROUTING_FACTS)}
    for name, (expression, by_hand) in GUARDS.items():
        condition = Condition(expression, KNOWN)
        if condition.holds(FACTS) is not by_hand(FACTS):
            raise SystemExit(f"{name}: the condition and the test by hand disagree")
        acts[name] = partial(condition.holds, FACTS)
        acts[f"{name} by hand"] = partial(by_hand, FACTS)
    spent: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            spent[name].append(_time(act))
    cost = {name: median(times) for name, times in spent.items()}
    return [
        Result(
            name,
            cost[name],
            cost[f"{name} by hand"],
            cost[name] / cost[f"{name} by hand"],
            median(a / b for a, b in zip(spent[name], spent["match"], strict=True)),
        )
        for name in GUARDS
    ]


def _time(act: Callable[[], object]) -> float:
    start = process_time()
    for _ in range(CALLS):
        act()
    return (process_time() - start) / CALLS * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=40, help="rounds of 500 evaluations of each guard")
    options = parser.parse_args()
    results = measure(options.rounds)
    worst = max(result.against_match for result in results)
    if options.json:
        print(json.dumps({"limit": LIMIT, "worst": worst, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(f"{'guard':<16} {'condition µs':>13} {'by hand µs':>11} {'against hand':>13} {'against match':>14}")
        for r in results:
            hand, match = f"{r.against_hand:.1f}x", f"{r.against_match:.2f}x"
            print(f"{r.guard:<16} {r.condition_us:>13.2f} {r.by_hand_us:>11.2f} {hand:>13} {match:>14}")
        print(f"\nworst: {worst:.2f}x of matching ten routes (at most {LIMIT:g}x is claimed)")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
