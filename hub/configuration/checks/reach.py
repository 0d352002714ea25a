"""Whether a route can ever match, and whether the facts it looks at are ones that its documents have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

from hub.configuration.checks.checked_use import texts
from hub.configuration.draft import Draft, RouteDraft
from hub.core.errors import ConditionError
from hub.core.options.naming import names_in
from hub.core.routing.condition import Condition
from hub.core.routing.route import Send
from hub.documents import Document

MOST_COMBINATIONS = 64


def check_reach(draft: Draft) -> None:
    """Every route on its own, against the sources, the documents and what its own `when` fixes."""
    for route in draft.routes:
        kinds = _kinds(draft, route)
        _check_when(draft, route, kinds)
        _check_once(draft, route, kinds)
        _check_parts(draft, route)
        for position, send in enumerate(route.route.to):
            _check_templates(draft, route, position, send, kinds)
            for key, guard in (("if", send.only_if), ("unless", send.unless)):
                if guard is not None:
                    _check_guard_facts(draft, route, guard, (position, key), kinds)
            _check_outcome(draft, route, position, send)


def _kinds(draft: Draft, route: RouteDraft) -> tuple[str, ...]:
    """The document kinds that the route can see: those it names, else those its sources can yield, else all."""
    if named := route.route.when.get("document"):
        return tuple(kind for kind in named if kind in draft.documents)
    return _yielded(draft, route) or tuple(draft.documents)


def _yielded(draft: Draft, route: RouteDraft) -> tuple[str, ...]:
    """The kinds that the route's sources yield; empty when there are none, or when any kind is possible."""
    names = route.route.when.get("source", tuple(draft.declared.get("source", ())))
    found: dict[str, None] = {}
    for name in names:
        source = draft.sources.get(name)
        if source is None or not source.documents:
            return ()
        found.update(dict.fromkeys(source.documents))
    return tuple(found)


def _check_when(draft: Draft, route: RouteDraft, kinds: tuple[str, ...]) -> None:
    yielded = _yielded(draft, route)
    place = route.place("when", "document")
    if yielded and not set(kinds) & set(yielded):
        text = f"route {route.route.id} can never match: no source yields {' or '.join(kinds)}"
        draft.findings.warning(place, text, f"they yield {', '.join(sorted(yielded))}")
    if not draft.declared.get("source"):
        draft.findings.warning(place, f"route {route.route.id} can never match: the site has no sources")
    for name in route.route.when:
        if kinds and all(lacks(draft, kind, name) for kind in kinds):
            text = f"route {route.route.id} can never match: {' and '.join(kinds)} has no {name}"
            draft.findings.error(route.place("when", name), text, _who_has(draft, name))


def _check_once(draft: Draft, route: RouteDraft, kinds: tuple[str, ...]) -> None:
    for position, name in enumerate(route.route.once):
        fact = draft.facts.facts.get(name)
        if fact is not None and fact.optional:
            text = f"once: {name} is optional; a document without it becomes a dead letter"
            draft.findings.warning(route.place("once", position), text)
        for kind in kinds:
            if lacks(draft, kind, name):
                text = f"once: {kind} has no {name}"
                draft.findings.error(route.place("once", position), text, _who_has(draft, name))


def _check_parts(draft: Draft, route: RouteDraft) -> None:
    """Parts of one document that keep its number are one document to a route which takes each number once."""
    once = route.route.once
    if not once or "part" in once:
        return
    for name in route.route.when.get("source", tuple(draft.sources)):
        source = draft.sources.get(name)
        for step in source.steps if source is not None else ():
            keeps = step.use.plugin.keeps_number
            if keeps is not None and keeps(step.use.options):
                text = (
                    f"once: the parts that {step.name} of source {name} makes have one number; only the first would go"
                )
                draft.findings.error(route.place("once"), text, f"once: [{', '.join((*once, 'part'))}]")
                return


def _check_guard_facts(
    draft: Draft, route: RouteDraft, guard: Condition, at: tuple[int, str], kinds: tuple[str, ...]
) -> None:
    for name in sorted(guard.names - guard.tested):
        for kind in kinds:
            if lacks(draft, kind, name):
                hint = f"name the documents in `when`, or write has({name}) && ..." if len(kinds) > 1 else None
                text = f"{at[1]}: {kind} has no {name}"
                draft.findings.error(route.place("to", *at), text, hint or _who_has(draft, name))


def _check_templates(draft: Draft, route: RouteDraft, position: int, send: Send, kinds: tuple[str, ...]) -> None:
    placed = draft.placed.get(send.destination)
    for field in placed.use.plugin.fact_templates if placed else ():
        templates = texts(placed.use.value(field)) if placed else ()
        for name in dict.fromkeys(name for template in templates for name in names_in(template)):
            for kind in kinds:
                if lacks(draft, kind, name):
                    text = f"destination {send.destination} needs {name} for its {field}, which {kind} doesn't have"
                    draft.findings.error(route.place("to", position), text, _who_has(draft, name))


def _check_outcome(draft: Draft, route: RouteDraft, position: int, send: Send) -> None:
    """Guards that don't guard: the outcome is the same whatever the document holds."""
    place = route.place("to", position)
    if send.only_if and send.unless and send.only_if.source == send.unless.source:
        draft.findings.warning(place, f"{send.destination} can never be sent to: `if` and `unless` are the same")
    for key, guard in (("if", send.only_if), ("unless", send.unless)):
        outcome = None if guard is None else _outcome(route, guard)
        if guard is None or outcome is None:
            continue
        why = "" if guard.constant is not None else ", as `when` fixes its facts"
        effect = "always passes" if outcome == (key == "if") else "never passes"
        text = f"{key}: this is always {'true' if outcome else 'false'}{why}: it {effect}"
        draft.findings.warning(route.place("to", position, key), text)


def _outcome(route: RouteDraft, guard: Condition) -> bool | None:
    """What a guard always says, or None when that depends on the document."""
    if guard.constant is not None:
        return guard.constant
    when = route.route.when
    if not guard.names <= set(when) or prod(len(when[name]) for name in guard.names) > MOST_COMBINATIONS:
        return None
    outcomes = set(_outcomes(route, guard))
    return outcomes.pop() if len(outcomes) == 1 else None


def _outcomes(route: RouteDraft, guard: Condition) -> Iterator[bool | None]:
    names = sorted(guard.names)
    for values in product(*(route.route.when[name] for name in names)):
        try:
            yield guard.holds(dict(zip(names, values, strict=True)))
        except ConditionError:
            yield None


def lacks(draft: Draft, kind: str, name: str) -> bool:
    """Whether documents of this kind can't have the fact."""
    if name in ("total", "total_computed"):
        document = draft.documents[kind]
        states = document.carried_total is not Document.carried_total or document.total is not Document.total
        return name == "total" and not states
    fact = draft.facts.facts.get(name)
    return bool(fact and fact.optional and fact.documents and kind not in fact.documents)


def _who_has(draft: Draft, name: str) -> str | None:
    having = [kind for kind in draft.documents if not lacks(draft, kind, name)]
    return f"{' and '.join(having)} has it" if len(having) == 1 else f"{', '.join(having)} have it" if having else None
