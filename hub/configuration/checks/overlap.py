"""Routes that do the same, and routes that may send one document to one destination (one effect: the second is
idle)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, islice, product
from math import prod
from typing import Any

from hub.configuration.draft import Draft, RouteDraft
from hub.core.routing.route import Send

MOST_FINDINGS = 20
"""Per destination; beyond it the findings would say the same."""

MOST_PAIRS = 20_000
"""Per destination, so that a check stays quick whatever the routes are."""

MOST_KEYS = 256

Use = tuple[RouteDraft, Send]


def check_overlaps(draft: Draft) -> None:
    """Warnings, each naming both routes."""
    same = _check_same(draft)
    users: dict[str, list[Use]] = defaultdict(list)
    for route in draft.routes:
        for send in route.route.to:
            users[send.destination].append((route, send))
    for destination, uses in users.items():
        _check_destination(draft, destination, uses, same)


def _check_same(draft: Draft) -> dict[int, str]:
    """Reports routes with the same `when`, destinations and guards; gives what each route does, to be compared."""
    first: dict[str, RouteDraft] = {}
    does: dict[int, str] = {}
    for route in draft.routes:
        content = route.route.content
        does[id(route)] = key = repr((content["when"], sorted(map(repr, content["to"]))))
        other = first.setdefault(key, route)
        if other is not route:
            text = f"route {route.route.id} does the same as {other.route.id} at {other.place('id')}"
            draft.findings.warning(route.place("id"), text)
    return does


def _check_destination(draft: Draft, destination: str, uses: Sequence[Use], does: Mapping[int, str]) -> None:
    reported = 0
    for (one, first), (other, second) in islice(_candidates(uses), MOST_PAIRS):
        if does[id(one)] == does[id(other)] or _exclude(first, second):
            continue
        if reported == MOST_FINDINGS:
            draft.findings.warning(other.place("id"), f"more routes overlap at destination {destination}")
            return
        reported += 1
        text = f"routes {one.route.id} and {other.route.id} may both send one document to {destination}"
        hint = f"{one.route.id} stands at {one.place('id')}; it is sent once"
        draft.findings.warning(other.place("to", other.route.destinations.index(destination)), text, hint)


def _candidates(uses: Sequence[Use]) -> Iterator[tuple[Use, Use]]:
    """Pairs whose `when` can be true of one document, in the order of the files. Routes are compared by shape, through
    a dict of the facts that both shapes name, so that many routes that differ cost little."""
    seen: set[tuple[int, int]] = set()
    shapes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, (route, _) in enumerate(uses):
        shapes[tuple(sorted(route.route.when))].append(position)
    for a, b in combinations_with_replacement(shapes, 2):
        common = [name for name in a if name in b]
        buckets: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        hashed = _hashed(uses, (*shapes[a], *shapes[b]), common)
        for position in shapes[a]:
            for key in product(*(uses[position][0].route.when[name] for name in hashed)):
                buckets[key].append(position)
        for position in shapes[b]:
            for key in product(*(uses[position][0].route.when[name] for name in hashed)):
                for other in buckets.get(key, ()):
                    pair = (min(other, position), max(other, position))
                    if other != position and pair not in seen and _meet(uses, other, position, common):
                        seen.add(pair)
                        yield uses[pair[0]], uses[pair[1]]


def _hashed(uses: Sequence[Use], positions: Sequence[int], common: list[str]) -> list[str]:
    """The common facts that are looked up; long lists are compared afterwards."""
    longest = {name: max(len(uses[p][0].route.when[name]) for p in positions) for name in common}
    chosen: list[str] = []
    for name in sorted(common, key=lambda name: longest[name]):
        if prod(longest[n] for n in (*chosen, name)) <= MOST_KEYS:
            chosen.append(name)
    return chosen


def _meet(uses: Sequence[Use], one: int, other: int, common: list[str]) -> bool:
    a, b = uses[one][0].route.when, uses[other][0].route.when
    if _asks_for_answers(a) != _asks_for_answers(b) and not ("direction" in a and "direction" in b):
        return False
    return all(set(a[name]) & set(b[name]) for name in common)


def _asks_for_answers(when: Mapping[str, Any]) -> bool:
    """Whether it takes only what we acknowledge, which no route gets that doesn't name the direction."""
    return bool(when.get("direction") == ("outbound",))


def _exclude(one: Send, other: Send) -> bool:
    """Whether the guards let at most one of them pass: `if: X` here, `unless: X` there, or a guard that is never
    true."""
    for a, b in ((one, other), (other, one)):
        if a.only_if and b.unless and a.only_if.source == b.unless.source:
            return True
        if a.only_if and a.only_if.constant is False:
            return True
        if a.unless and a.unless.constant is True:
            return True
    return False
