"""What matching one document costs, for tables of 10 to 10,000 routes, beside a linear scan of the same routes.

    python benchmarks/routing.py [--json] [--seconds 0.3]

Each table holds the same few routes that match the document; the rest never match. The claim: 10,000 routes cost at
most twice what 10 cost. Exit code 1 when a table breaks it.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hub.core.routing.condition import Condition
from hub.core.routing.facts import BUILT_IN
from hub.core.routing.route import Route, Send, when
from hub.core.routing.route_table import Match, RouteTable

SIZES = (10, 100, 1_000, 10_000)
LIMIT = 2.0
MATCHING = 3
FACTS: Mapping[str, Any] = {
    **dict.fromkeys(BUILT_IN),
    "document": "order",
    "test": False,
    "source": "shop",
    "partner": "ACME",
    "number": "104582",
    "total": Decimal("10000.50"),
    "currency": "USD",
    "set": "850",
}
SHAPES: Sequence[Callable[[int], dict[str, Any]]] = (
    lambda n: {"document": "order", "partner": f"P{n}"},
    lambda n: {"document": "invoice", "partner": f"P{n}", "currency": ["USD", "EUR"]},
    lambda n: {"partner": f"P{n}", "set": "850", "source": "shop"},
    lambda n: {"source": f"S{n}"},
)
GUARD = Condition("total >= 10000", BUILT_IN)


@dataclass(frozen=True)
class Result:
    """One table: microseconds for one document by the index and by a linear scan, and the index's cost against 10
    routes."""

    table: str
    routes: int
    matches: int
    index_us: float
    scan_us: float
    against_10: float


def few_shapes(size: int) -> list[Route]:
    """Routes of four shapes."""
    return _with_matching([_route(n, SHAPES[n % len(SHAPES)](n)) for n in range(size - MATCHING)])


def one_shape(size: int) -> list[Route]:
    """All routes of one shape: document and partner."""
    return _with_matching([_route(n, SHAPES[0](n)) for n in range(size - MATCHING)])


def guarded(size: int) -> list[Route]:
    """Routes of four shapes, guards on a third of them and on one of those that match."""
    routes = [_route(n, SHAPES[n % len(SHAPES)](n), guard=n % 3 == 0) for n in range(size - MATCHING)]
    return _with_matching(routes, guards=1)


def _route(number: int, wants: dict[str, Any], guard: bool = False) -> Route:
    return Route(f"route-{number}", (Send("erp", GUARD if guard else None),), when(**wants))


def _with_matching(routes: list[Route], guards: int = 0) -> list[Route]:
    """The routes, with those that match spread among them."""
    wants = {"document": "order", "partner": "ACME"}
    for n in range(MATCHING):
        routes.insert(n * len(routes) // MATCHING, _route(1_000_000 + n, wants, guard=n < guards))
    return routes


def scan(routes: Sequence[Route], facts: Mapping[str, Any]) -> list[Match]:
    """The linear scan: every route is asked."""
    found = []
    for route in routes:
        if all(facts.get(name) in wanted for name, wanted in route.when.items()):
            sends = tuple(send.destination for send in route.to if send.passes(facts))
            found.append(Match(route, sends))
    return found


def best(acts: Sequence[Callable[[], object]], seconds: float, rounds: int = 15) -> list[float]:
    """Microseconds of one call of each: the best of rounds that take turns, so that a busy machine harms all alike."""
    calls = [_calls(act, seconds / rounds) for act in acts]
    found = [float("inf")] * len(acts)
    for _ in range(rounds):
        for position, act in enumerate(acts):
            found[position] = min(found[position], _time(act, calls[position]) / calls[position])
    return [one * 1e6 for one in found]


def _calls(act: Callable[[], object], seconds: float) -> int:
    calls = 1
    while _time(act, calls) < seconds and calls < 1 << 20:
        calls *= 2
    return calls


def _time(act: Callable[[], object], calls: int) -> float:
    gc.disable()
    start = perf_counter()
    for _ in range(calls):
        act()
    spent = perf_counter() - start
    gc.enable()
    return spent


def measure(seconds: float) -> list[Result]:
    results = []
    for name, make in (("few shapes", few_shapes), ("one shape", one_shape), ("guards on a third", guarded)):
        tables = [RouteTable(make(size)) for size in SIZES]
        matches = [table.match(FACTS) for table in tables]
        for table, found in zip(tables, matches, strict=True):
            if list(found) != scan(table.routes, FACTS) or len(found) != MATCHING:
                raise SystemExit(f"{name}, {len(table)} routes: index and scan disagree")
        index = best([partial(table.match, FACTS) for table in tables], seconds)
        slow = best([partial(scan, table.routes, FACTS) for table in tables], seconds / 10, rounds=3)
        for table, cost, scanned in zip(tables, index, slow, strict=True):
            results.append(Result(name, len(table), MATCHING, cost, scanned, cost / index[0]))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--seconds", type=float, default=0.3, help="time for each measurement")
    options = parser.parse_args()
    results = measure(options.seconds)
    worst = max(result.against_10 for result in results)
    if options.json:
        print(json.dumps({"limit": LIMIT, "worst": worst, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(f"{'table':<18} {'routes':>7} {'match':>6} {'index µs':>9} {'scan µs':>9} {'against 10':>11}")
        for r in results:
            print(
                f"{r.table:<18} {r.routes:>7} {r.matches:>6} {r.index_us:>9.2f} {r.scan_us:>9.1f}"
                f" {r.against_10:>10.2f}x"
            )
        print(f"\nworst: {worst:.2f}x (at most {LIMIT:g}x is claimed)")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
