"""The routes of routes/*.yaml, compiled, with every name and type in them checked."""

from __future__ import annotations

from typing import Any

from hub.configuration.draft import Draft, RouteDraft
from hub.configuration.entries.fact_paths import fact_value
from hub.configuration.files.models import RouteEntry, SendTo
from hub.configuration.files.policies import unsupported
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.errors import ConfigError, FilePlace
from hub.core.options.nearest import did_you_mean, hint
from hub.core.routing.condition import Condition
from hub.core.routing.expression_tree import ExpressionError
from hub.core.routing.route import Route, Send

NAMED = {"source": "source", "partner": "partner"}
"""Facts whose values are names that must be declared."""


def read_routes(draft: Draft, file: YamlFile, node: YamlNode, owner: str) -> None:
    """The `routes` of one file."""
    if node.kind != "sequence":
        draft.findings.error(file.place_of(node), "`routes` should be a list")
    for item in node.items:
        route = _RouteReader(draft, file, item).read(owner)
        if route is not None:
            draft.routes.append(RouteDraft(route, file, item))


class _RouteReader:
    """Reads one route; collects every mistake in it."""

    def __init__(self, draft: Draft, file: YamlFile, node: YamlNode) -> None:
        self._draft = draft
        self._findings = draft.findings
        self._file = file
        self._node = node

    def read(self, owner: str) -> Route | None:
        before = self._findings.errors
        unsupported(self._draft, self._file, self._node, {"sequence": "no order between messages is promised"})
        entry = validated(RouteEntry, self._file, self._node, self._findings)
        if entry is None:
            self._draft.doubtful.add("destination")
            return None
        self._draft.declare("route", entry.id, self._place("id"))
        when = self._when(entry)
        once = self._once(entry)
        to = self._sends(entry)
        if self._findings.errors > before:
            return None
        return Route(entry.id, to, when, entry.owner or owner, once, entry.otherwise == "drop")

    def _find(self, *path: str | int) -> YamlNode:
        node = self._node
        for key in path:
            node = node.child(key) or node
        return node

    def _place(self, *path: str | int) -> FilePlace:
        return self._file.place_of(self._find(*path))

    def _key_place(self, *path: str | int) -> FilePlace:
        key = self._find(*path[:-1]).keys.get(str(path[-1]))
        return self._file.place_of(key or self._find(*path))

    def _when(self, entry: RouteEntry) -> dict[str, tuple[Any, ...]]:
        when: dict[str, tuple[Any, ...]] = {}
        node = self._find("when") if entry.when else None
        for name, value in node.entries.items() if node else ():
            fact = self._draft.facts.facts.get(name)
            if fact is None:
                self._unknown_fact(name, self._key_place("when", name))
                continue
            items = value.items if value.kind == "sequence" else [value]
            when[name] = tuple(found for item in items if (found := self._value(name, fact.type, item)) is not None)
        if entry.test is not None:
            if "test" in when:
                self._findings.error(self._key_place("test"), "`test` stands twice, here and in `when`")
            when["test"] = (entry.test,)
        return when

    def _value(self, name: str, kind: Any, node: YamlNode) -> Any:
        place = self._file.place_of(node)
        try:
            value = fact_value(kind, node)
        except ConfigError as error:
            self._findings.error(place, f"{name}: {error.text}", error.hint)
            return None
        if name == "document" and value not in self._draft.documents:
            self._findings.error(place, f"there is no document {value!r}", hint(value, self._draft.documents))
        elif name in NAMED:
            self._draft.use(NAMED[name], value, place)
        return value

    def _once(self, entry: RouteEntry) -> tuple[str, ...]:
        for position, name in enumerate(entry.once):
            if name not in self._draft.facts.facts:
                self._unknown_fact(name, self._place("once", position))
        if len(set(entry.once)) < len(entry.once):
            self._findings.error(self._place("once"), "`once` names a fact twice")
        return entry.once

    def _sends(self, entry: RouteEntry) -> tuple[Send, ...]:
        sends: list[Send] = []
        for position, to in enumerate(entry.to):
            name = to.send if isinstance(to, SendTo) else to
            place = self._place("to", position, "send")
            self._draft.use("destination", name, place, "declare it in config/destinations.yaml")
            if any(send.destination == name for send in sends):
                self._findings.error(
                    place, f"destination {name} stands twice in the route", "join the conditions with ||"
                )
            if isinstance(to, SendTo):
                guards = [
                    self._condition(text, position, key) for text, key in ((to.only_if, "if"), (to.unless, "unless"))
                ]
                sends.append(Send(name, *guards))
            else:
                sends.append(Send(name))
        return tuple(sends)

    def _condition(self, text: str | None, position: int, key: str) -> Condition | None:
        if text is None:
            return None
        node = self._find("to", position, key)
        known = self._draft.conditions
        try:
            if text not in known:
                known[text] = Condition(text, self._draft.facts.facts)
            return known[text]
        except ExpressionError as error:
            place, shown = inside(self._file.place_of(node), node, error.column)
            where = "" if shown else f" at character {error.column}"
            self._findings.error(place, f"{key}: {error.text}{where}", error.hint)
            return None

    def _unknown_fact(self, name: str, place: FilePlace) -> None:
        known = self._draft.facts.names
        own = "facts of your own stand in config/facts.yaml"
        self._findings.error(place, f"unknown fact {name}", did_you_mean(name, known) or own)


def inside(place: FilePlace, node: YamlNode, column: int) -> tuple[FilePlace, bool]:
    """The place of a column inside a text, and whether the file shows the text so plainly that it can be told."""
    quotes = node.width - len(node.raw)
    if node.width and quotes in (0, 2):
        return FilePlace(place.file, place.line, place.column + quotes // 2 + column - 1), True
    return place, False
