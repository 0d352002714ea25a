"""Names made from facts: `{fact}` is substituted, nothing is evaluated, and what a partner gave never becomes a path.
Two documents whose facts differ never get the same name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hub.core.errors import MappingError
from hub.core.message import EMPTY

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
UNSAFE = re.compile(r"[^A-Za-z0-9._@+=-]+")
LONGEST = 200
MARK = "~"
"""Stands before the digest of a value that a name can't hold as it is. No safe value contains it."""

DIGITS = 16
"""Hex digits of such a digest."""

Vocabulary = Mapping[str, Collection[str]]
"""The values that some facts can have, by the fact's name. They tell where such a fact ends in a name."""


def names_in(template: str) -> tuple[str, ...]:
    """The fact names that a template uses."""
    return tuple(PLACE.findall(template))


def render(
    template: str, facts: Mapping[str, Any], *, otherwise: Sequence[str] = (), vocabulary: Vocabulary = EMPTY
) -> str:
    """The name that the template makes, or the first of those in `otherwise` whose facts are all there. Raises
    MappingError when none has all its facts.

    A value of letters, digits and `._@+=-` stands in the name as it is. Any other value, and one of more than 200
    characters or of dots alone, is changed, and a digest of it is appended. Where the name could also be that of other
    facts (`{a}_{b}` of `A_B` and `1`, and of `A` and `B_1`), one of them keeps it, and the others get a digest of all
    their facts."""
    templates = (template, *otherwise)
    used = next((one for one in templates if has_facts(one, facts)), templates[-1])
    literals, names = split(used)
    given = [text_of(used, name, facts) for name in names]
    values = [safe(value, first=place == 0 and not literals[0]) for place, value in enumerate(given)]
    name = joined(literals, values)
    if not names or read_back(name, templates, vocabulary) == (used, values):
        return name
    values[-1] = f"{values[-1].partition(MARK)[0]}{MARK}{digest_of(repr((names, given)))}"
    return joined(literals, values)


def render_as_before(template: str, facts: Mapping[str, Any]) -> str:
    """The name that releases before 0.3 made, for what they have begun to send. Raises MappingError for a fact that has
    no value."""

    def value(match: re.Match[str]) -> str:
        cut = UNSAFE.sub("_", text_of(template, match.group(1), facts))[:LONGEST]
        return cut if cut.strip(".") else "_" * max(1, len(cut))

    return PLACE.sub(value, template)


def has_facts(template: str, facts: Mapping[str, Any]) -> bool:
    return all(facts.get(name) not in (None, "") for name in names_in(template))


def text_of(template: str, name: str, facts: Mapping[str, Any]) -> str:
    """A fact as text. Raises MappingError for one that has no value here."""
    found = facts.get(name)
    if found is None or found == "":
        raise MappingError(f"{template!r} needs the fact {name!r}, which this document doesn't have")
    return str(found).lower() if isinstance(found, bool) else str(found)


def safe(value: str, *, first: bool = False) -> str:
    """A value as part of a name. `first`: the name begins with it, so it begins with no dot."""
    cut = UNSAFE.sub("_", value)
    if cut == value and len(cut) <= LONGEST and cut.strip(".") and not (first and cut.startswith(".")):
        return value
    cut = cut[: LONGEST - DIGITS - len(MARK)]
    return f"_{cut.lstrip('.')}{MARK}{digest_of(value)}" if cut[0] == "." else f"{cut}{MARK}{digest_of(value)}"


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def split(template: str) -> tuple[list[str], list[str]]:
    """The literal texts of a template, and the names of the facts between them."""
    parts = PLACE.split(template)
    return parts[0::2], parts[1::2]


def joined(literals: Sequence[str], values: Sequence[str]) -> str:
    return literals[0] + "".join(value + literal for value, literal in zip(values, literals[1:], strict=True))


def read_back(name: str, templates: Sequence[str], vocabulary: Vocabulary = EMPTY) -> tuple[str, list[str]] | None:
    """The template and the values that a name is read as: one reading for each name, however many there may be. Values
    are as short as they can be, from the left; those of the vocabulary as long as they can be."""
    for template in templates:
        literals, names = split(template)
        if names and (values := NameReading(name, literals, names, vocabulary).values()) is not None:
            return template, values
    return None


class NameReading:
    """A name, read by a template. No place is tried twice, so the work is bounded by the square of the name's
    length."""

    def __init__(self, name: str, literals: Sequence[str], names: Sequence[str], vocabulary: Vocabulary) -> None:
        self._name = name
        self._literals = literals
        self._names = names
        self._vocabulary = vocabulary
        self._end = len(name) - len(literals[-1])
        self._failed: set[tuple[int, int]] = set()

    def values(self) -> list[str] | None:
        fits = self._name.startswith(self._literals[0]) and self._name.endswith(self._literals[-1])
        return self._from(0, len(self._literals[0])) if fits else None

    def _from(self, place: int, start: int) -> list[str] | None:
        """The values from a place on, the first of which begins at `start`."""
        if place == len(self._names) - 1:
            last = self._name[start : self._end]
            known = self._vocabulary.get(self._names[place]) if place else None
            return [last] if last and (known is None or last in known) else None
        if (place, start) in self._failed:
            return None
        for stop in self._stops(place, start):
            rest = self._from(place + 1, stop + len(self._literals[place + 1]))
            if rest is not None:
                return [self._name[start:stop], *rest]
        self._failed.add((place, start))
        return None

    def _stops(self, place: int, start: int) -> Iterator[int]:
        """Where the value of a place may end: before each literal that follows it."""
        literal = self._literals[place + 1]
        known = self._vocabulary.get(self._names[place])
        if known is not None:
            for word in sorted(known, key=len, reverse=True):
                if self._name.startswith(word + literal, start):
                    yield start + len(word)
            return
        stop = self._name.find(literal, start + 1, self._end)
        while stop != -1:
            yield stop
            stop = self._name.find(literal, stop + 1, self._end)
