"""Facts: named, typed, flat values promoted from a document and its envelope. All that conditions may look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args

from hub.core.errors import ConfigError, DecodeError

if TYPE_CHECKING:
    from hub.documents.base import Document

FactType = Literal["text", "number", "integer", "boolean", "date"]
FACT_TYPES: tuple[FactType, ...] = get_args(FactType)
FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

PYTHON_TYPES: Mapping[FactType, type] = {
    "text": str,
    "number": Decimal,
    "integer": int,
    "boolean": bool,
    "date": date,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a fact before any document: its type, whether it may be without a value, and which document
    kinds have it (empty: all). `about` is one line for people."""

    name: str
    type: FactType
    optional: bool = False
    documents: frozenset[str] = frozenset()
    about: str = ""


@dataclass(frozen=True, slots=True)
class FactPath:
    """A fact of the site: `from: order.ship_to.address.state`. `paths` maps a document kind to the attributes that lead
    to the value; documents of other kinds, and documents without the value, have `default`. `arrival`: the name under
    which a source gives the value with what it brings (`from: arrival.region`), whatever the document is."""

    name: str
    type: FactType
    paths: Mapping[str, tuple[str, ...]]
    default: Any = None
    arrival: str = ""

    @property
    def fact(self) -> Fact:
        if self.arrival:
            return Fact(self.name, self.type, self.default is None, about=f"given by the source, as {self.arrival}")
        shown = ", ".join(".".join((kind, *path)) for kind, path in self.paths.items())
        return Fact(self.name, self.type, self.default is None, frozenset(self.paths), f"from {shown}")


BUILT_IN: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("document", "text", about="the document's kind: order, ship_notice, invoice"),
        Fact("document_version", "integer", about="the version of the document's model: 1 in order@1"),
        Fact("source", "text", about="the source that took it"),
        Fact("test", "boolean", about="test traffic: ISA15 is T"),
        Fact("direction", "text", about="inbound; outbound for an acknowledgment that answers what came in"),
        Fact("partner", "text", about="the partner it came from"),
        Fact("number", "text", about="the document's own number: order, shipment or invoice number"),
        Fact(
            "total",
            "number",
            about=(
                "the amount of the document, computed from its lines if it carries none; without prices it has no"
                " value, and a condition on it can't be decided"
            ),
        ),
        Fact("total_computed", "boolean", about="whether `total` was computed from the lines"),
        Fact("currency", "text", about="ISO 4217 code of the amounts"),
        Fact("part", "text", about="which part of a split document it is; `whole` where nothing was split"),
        Fact("set", "text", optional=True, about="X12 transaction set: 850"),
        Fact("version", "text", optional=True, about="X12 version of the group: 004010"),
        Fact("control_number", "text", optional=True, about="X12 interchange control number, ISA13"),
        Fact("group_control_number", "text", optional=True, about="X12 group control number, GS06"),
        Fact("transaction_control_number", "text", optional=True, about="X12 transaction set control number, ST02"),
        Fact("sender", "text", optional=True, about="X12 interchange sender id, ISA06"),
        Fact("sender_qualifier", "text", optional=True, about="X12 interchange sender qualifier, ISA05"),
        Fact("receiver", "text", optional=True, about="X12 interchange receiver id, ISA08"),
        Fact("receiver_qualifier", "text", optional=True, about="X12 interchange receiver qualifier, ISA07"),
        Fact("group_sender", "text", optional=True, about="X12 application sender code, GS02"),
        Fact("group_receiver", "text", optional=True, about="X12 application receiver code, GS03"),
    )
}
"""The facts that every site has. Those of the X12 envelope are optional: a JSON document has none of them."""

ENVELOPE = tuple(name for name, fact in BUILT_IN.items() if fact.optional)

OUTBOUND = "outbound"
"""The fact `direction` of an acknowledgment that answers what came in."""

Getter = Callable[[Any], Any]


class FactSet:
    """All facts of a site, compiled: `of` promotes them from a document. Immutable."""

    def __init__(self, paths: Iterable[FactPath] = ()) -> None:
        self.paths = tuple(paths)
        facts = dict(BUILT_IN)
        for path in self.paths:
            if path.name in BUILT_IN:
                raise ConfigError(f"{path.name!r} is a built-in fact")
            facts[path.name] = path.fact
        self.facts: Mapping[str, Fact] = facts
        self._defaults = {path.name: path.default for path in self.paths}
        self._given = tuple((path.name, path.arrival, path.type) for path in self.paths if path.arrival)
        self._getters: dict[str, tuple[tuple[str, Getter, Any, bool], ...]] = {}
        for kind in {kind for path in self.paths for kind in path.paths}:
            self._getters[kind] = tuple(
                (path.name, attrgetter(".".join(path.paths[kind])), path.default, path.type == "number")
                for path in self.paths
                if kind in path.paths
            )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.facts)

    def of(self, document: Document, envelope: Mapping[str, Any], source: str) -> dict[str, Any]:
        """Every fact of one document, by name; None where it has no value. What the envelope says of the partner wins
        over what the document says."""
        get = envelope.get
        partner, total = get("partner"), document.total  # which is costly: computed once
        facts: dict[str, Any] = {
            "document": document.kind,
            "document_version": type(document).version,
            "source": source,
            "test": bool(get("test", False)),
            "direction": get("direction") or "inbound",
            "partner": document.partner if partner is None else partner,
            "number": document.number,
            "total": total,
            "total_computed": total is not None and document.carried_total is None,
            "currency": document.currency,
            "part": get("part") or "whole",
        }
        for name in ENVELOPE:
            facts[name] = get(name)
        if self._defaults:
            facts.update(self._defaults)
            for name, getter, default, number in self._getters.get(document.kind, ()):
                facts[name] = _value(getter, document, default, number)
            for name, given, kind in self._given:
                if (value := get(given)) is not None:
                    facts[name] = as_fact(given, value, kind)
        return facts


def _value(getter: Getter, document: Document, default: Any, number: bool) -> Any:
    try:
        value = getter(document)
    except AttributeError:  # the path was checked: only a part that is None on the way has no attributes
        return default
    if value is None:
        return default
    return Decimal(value) if number and type(value) is int else value


def as_fact(name: str, value: Any, kind: FactType) -> Any:
    """What came with an arrival, as a fact of that type. Raises DecodeError for text that says nothing of the kind."""
    text = str(value).strip()
    try:
        if kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind == "number":
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError
            return number
        made: Any = {"text": str(value), "integer": int, "date": date.fromisoformat}[kind]
        return made if kind == "text" else made(text)
    except (ValueError, ArithmeticError, KeyError):
        raise DecodeError(f"{name} came as {plain(text)!r}, which is no {kind}") from None


def show_facts(facts: Mapping[str, Any], names: Sequence[str]) -> str:
    """Some facts for people: `document=order partner=ACME`."""
    return " ".join(f"{name}={plain(facts.get(name))}" for name in names)


LONGEST_FACT = 1000
"""Characters that the value of a fact or of a business key may have: it travels in headers and stands in indexes."""


def check_lengths(values: Iterable[tuple[str, Any]]) -> None:
    """Raises DecodeError for the first value, of (name, value), that is longer than LONGEST_FACT."""
    for name, value in values:
        if isinstance(value, str) and len(value) > LONGEST_FACT:
            raise DecodeError(
                f"{name} has {len(value)} characters, at most {LONGEST_FACT} are allowed: {value[:40]}..."
            )


def plain(value: Any) -> str:
    """A fact's value as a site writes it; long ones are cut, what can't be encoded is escaped."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if isinstance(value, date) else str(value)
    text = text if len(text) <= 200 else f"{text[:200]}..."
    return text.encode("utf-8", "backslashreplace").decode()
