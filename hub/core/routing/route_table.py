"""All routes, compiled and indexed; one immutable version at a time.

Routes are grouped by shape, the facts that their `when` compares. Each shape is a dict from the values of those facts
to the routes that want them, so that matching costs one lookup per shape plus the routes that match, however large the
table is. Order is the table's: every route that applies gets its copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from hub.core.errors import ConditionError
from hub.core.record import record
from hub.core.routing.facts import OUTBOUND, plain
from hub.core.routing.route import Route, Send

MAX_KEYS = 256
"""Keys that one route may take in the index. Beyond it, its longest lists are compared after the lookup."""

MEMO = 256

ACKNOWLEDGMENTS = frozenset(("functional_acknowledgment", "interchange_acknowledgment"))
"""Documents that a route must ask for by name: an acknowledgment never takes a route that was made for business
documents."""


@record
class Match:
    """One route that applies to a document. `destinations` are those whose guards let it pass. With `error`, a guard
    failed: this route's copy is dead, other routes are not touched."""

    route: Route
    destinations: tuple[str, ...] = ()
    error: ConditionError | None = None

    @property
    def unmatched(self) -> bool:
        """The route applies, every guard is false, and it doesn't say `else: drop`."""
        return not self.destinations and self.error is None and not self.route.drop


@dataclass(frozen=True, slots=True)
class Miss:
    """A fact that differs from what a route wants; with nothing wanted, one that the route would have to name."""

    fact: str
    found: Any
    wanted: tuple[Any, ...]

    def __str__(self) -> str:
        if not self.wanted:
            return f"its `when` to name {self.fact}"
        if len(self.wanted) == 1:
            return f"{self.fact}={plain(self.wanted[0])}"
        return f"{self.fact} in {', '.join(plain(value) for value in self.wanted)}"


@dataclass(frozen=True, slots=True)
class GuardTrace:
    """What a destination's guard said; `guard` is empty where there is none. `error` is why it could not say."""

    destination: str
    guard: str
    passed: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class RouteTrace:
    """Why a route did or didn't take a document: no `misses` means that it applies."""

    route: str
    misses: tuple[Miss, ...] = ()
    guards: tuple[GuardTrace, ...] = ()

    @property
    def applies(self) -> bool:
        return not self.misses


@dataclass(frozen=True, slots=True)
class _Entry:
    order: int
    route: Route
    rest: tuple[tuple[str, frozenset[Any]], ...]
    """What the index left out and is compared after the lookup."""


class _Shape:
    """The routes whose indexed facts are the same."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.entries: dict[tuple[Any, ...], list[_Entry]] = {}

    def find(self, facts: Mapping[str, Any]) -> Sequence[_Entry]:
        return self.entries.get(tuple([facts.get(name) for name in self.names]), ())


class RouteTable:
    """An immutable table of routes."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self.routes = tuple(routes)
        self.by_id: Mapping[str, Route] = {route.id: route for route in self.routes}
        if len(self.by_id) != len(self.routes):
            raise ValueError("two routes have the same id")
        self._shapes = _indexed(self.routes)
        told = {"document", "partner", "direction"}
        self._names = tuple(sorted(told | {name for route in self.routes for name in route.when}))
        self._causes: dict[tuple[Any, ...], str] = {}

    def __len__(self) -> int:
        return len(self.routes)

    def match(self, facts: Mapping[str, Any]) -> tuple[Match, ...]:
        """Every route that applies, in the table's order. Never raises for what a guard does: see `Match.error`."""
        found: list[_Entry] = []
        for shape in self._shapes:
            for entry in shape.find(facts):
                if not entry.rest or all(facts.get(name) in values for name, values in entry.rest):
                    found.append(entry)
        if found and (facts.get("document") in ACKNOWLEDGMENTS or facts.get("direction") == OUTBOUND):
            found = [entry for entry in found if not _unasked(entry.route, facts)]
        if len(found) > 1:
            found.sort(key=lambda entry: entry.order)
        return tuple([_guarded(entry.route, facts) for entry in found])

    def explain(self, facts: Mapping[str, Any], routes: Iterable[str] | None = None) -> tuple[RouteTrace, ...]:
        """Why each route (or each named one) did or didn't take the document. Costs a pass over the table."""
        chosen = self.routes if routes is None else [self.by_id[name] for name in routes if name in self.by_id]
        return tuple(_trace(route, facts) for route in chosen)

    def nearest(self, facts: Mapping[str, Any]) -> str:
        """A short cause for a document that no route delivered: the routes whose guards were all false, else the
        route that misses by the fewest facts."""
        idle = [match for match in self.match(facts) if match.unmatched]
        if idle:
            return "; ".join(_idle(match.route, facts) for match in idle)
        key = tuple(facts.get(name) for name in self._names)
        cause = self._causes.get(key)
        if cause is None:
            cause = self._nearest(facts)
            if len(self._causes) < MEMO:
                self._causes[key] = cause
        return cause

    def _nearest(self, facts: Mapping[str, Any]) -> str:
        named = ("document", "partner") + (("test",) if facts.get("test") else ())
        text = "no route takes " + " ".join(f"{name}={plain(facts.get(name))}" for name in named)
        best: tuple[int, bool, Route, tuple[Miss, ...]] | None = None
        for route in self.routes:
            misses = _misses(route, facts)
            rank = (len(misses), any(miss.fact == "document" for miss in misses))
            if best is None or rank < best[:2]:
                best = (*rank, route, misses)
        if best is None:
            return f"{text}: there are no routes"
        return f"{text}; nearest: {best[2].id} wants {' and '.join(str(miss) for miss in best[3])}"


def _guarded(route: Route, facts: Mapping[str, Any]) -> Match:
    if not route.guarded:
        return Match(route, route.destinations)
    try:
        return Match(route, tuple([send.destination for send in route.to if send.passes(facts)]))
    except ConditionError as error:
        return Match(route, error=error)


def _misses(route: Route, facts: Mapping[str, Any]) -> tuple[Miss, ...]:
    compared = tuple(
        Miss(name, facts.get(name), wanted) for name, wanted in route.when.items() if facts.get(name) not in wanted
    )
    return compared + tuple(Miss(name, facts.get(name), ()) for name in _unasked(route, facts))


def _unasked(route: Route, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The facts that a route would have to name to take what answers a partner: `document` of an acknowledgment, and
    `direction` of everything that goes out."""
    outbound = facts.get("direction") == OUTBOUND
    if facts.get("document") not in ACKNOWLEDGMENTS and not outbound:
        return ()
    needed = ("document", "direction") if outbound else ("document",)
    return tuple(name for name in needed if name not in route.when)


def _trace(route: Route, facts: Mapping[str, Any]) -> RouteTrace:
    misses = _misses(route, facts)
    return RouteTrace(route.id, misses, () if misses else tuple(_guard_trace(send, facts) for send in route.to))


def _guard_trace(send: Send, facts: Mapping[str, Any]) -> GuardTrace:
    try:
        return GuardTrace(send.destination, send.guard_text, send.passes(facts))
    except ConditionError as error:
        return GuardTrace(send.destination, send.guard_text, False, str(error))


def _idle(route: Route, facts: Mapping[str, Any]) -> str:
    guards = ", ".join(f"{send.destination} {send.guard_text}" for send in route.to)
    read = sorted({name for send in route.to for guard in send.guards for name in guard.names})
    return (
        f"route {route.id} applies but no guard passes: {guards}"
        f" ({' '.join(f'{n}={plain(facts.get(n))}' for n in read)})"
    )


def _indexed(routes: Sequence[Route]) -> tuple[_Shape, ...]:
    shapes: dict[tuple[str, ...], _Shape] = {}
    for order, route in enumerate(routes):
        names = _indexed_names(route)
        rest = tuple((name, frozenset(wanted)) for name, wanted in route.when.items() if name not in names)
        shape = shapes.setdefault(names, _Shape(names))
        entry = _Entry(order, route, rest)
        for key in _keys(route, names):
            shape.entries.setdefault(key, []).append(entry)
    return tuple(shapes.values())


def _indexed_names(route: Route) -> tuple[str, ...]:
    """The facts of `when` that the index holds: all, unless their combinations exceed MAX_KEYS."""
    names: list[str] = []
    keys = 1
    for name, wanted in sorted(route.when.items(), key=lambda item: (len(item[1]), item[0])):
        keys *= len(wanted)
        if keys > MAX_KEYS:
            break
        names.append(name)
    return tuple(sorted(names))


def _keys(route: Route, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return product(*(route.when[name] for name in names))
