"""What a sample file shows of those who sent it: ids, delimiters, versions, sets, and codes that we don't know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from hub.core.agreement import Charset, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body
from transformers.x12.compiled.compiled import compiled_set
from transformers.x12.declarations.catalogue import known_sets, release_of
from transformers.x12.declarations.declaration import Element, SegmentUse
from transformers.x12.declarations.grammar import Grammar
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import NO_COMPONENT_SEPARATOR, Delimiters, as_text
from transformers.x12.lineage.inspection import GroupSeen, InterchangeSeen, TransactionSeen, inspect
from transformers.x12.lineage.tree import segment_texts
from transformers.x12.validation.diagnose import next_state

MOST_SENDERS = 100
"""Senders that are looked at; a sample has one."""

MOST_KINDS = 50
"""Different versions, sets, receivers and so on that are remembered of one sender."""

MOST_CODES = 200
"""Unknown codes that are remembered of one sender."""

LONGEST_CODE = 80

K = TypeVar("K", bound=Hashable)

Place = tuple[str, str]
"""A set, and a place in it as an overlay names it: `("850", "PO1/PO103")`."""


@dataclass(slots=True)
class Observation:
    """What was seen of one sender. Counters say how often; `codes` are those outside of our lists, by set and place;
    `broken` counts transactions with errors that no list of codes explains."""

    sender: InterchangeId
    receivers: Counter[InterchangeId] = field(default_factory=Counter)
    interchanges: int = 0
    transactions: int = 0
    test: set[bool] = field(default_factory=set)
    delimiters: Counter[Delimiters] = field(default_factory=Counter)
    newlines: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    set_versions: dict[str, Counter[str]] = field(default_factory=dict)
    groups: Counter[tuple[str, str]] = field(default_factory=Counter)
    sets: Counter[str] = field(default_factory=Counter)
    charset: Charset = "basic"
    codes: dict[Place, dict[str, None]] = field(default_factory=dict)
    asks_ta1: bool = False
    broken: int = 0


def observe(body: Body) -> tuple[Observation, ...]:
    """One for each sender (ISA05 and ISA06) in the order in which they come; empty where the body holds no
    interchange."""
    found: dict[InterchangeId, Observation] = {}
    now: Observation | None = None
    for seen in inspect(body, PartnerDirectory()):
        match seen:
            case InterchangeSeen():
                isa = seen.elements
                sender = InterchangeId(isa[5], isa[6])
                if sender not in found and len(found) == MOST_SENDERS:
                    now = None
                    continue
                now = found.setdefault(sender, Observation(sender))
                _count(now.receivers, InterchangeId(isa[7], isa[8]))
                now.interchanges += 1
                now.test.add(isa[15] == "T")
                now.asks_ta1 |= isa[14] == "1"
                if seen.refusal is None or seen.refusal.code != NO_COMPONENT_SEPARATOR:
                    _count(now.delimiters, seen.delimiters)
            case GroupSeen() if now is not None:
                _count(now.versions, seen.element(8))
                _count(now.groups, (seen.element(2), seen.element(3)))
            case TransactionSeen() if now is not None:
                _take(now, seen)
            case _:
                pass
    return tuple(found.values())


def _take(now: Observation, seen: TransactionSeen) -> None:
    _count(now.sets, seen.read.set)
    if seen.read.set in now.set_versions or len(now.set_versions) < MOST_KINDS:
        _count(now.set_versions.setdefault(seen.read.set, Counter()), seen.version)
    now.transactions += 1
    data, marks = seen.event.data, seen.delimiters
    now.newlines[newline_of(data, marks)] += 1
    now.charset = _wider(now.charset, charset_of(data, marks))
    now.broken += bool([f for f in seen.findings if f.code != "7"])
    if seen.read.set in known_sets() and not seen.event.binary:
        for place, code in unknown_codes(seen):
            if sum(map(len, now.codes.values())) < MOST_CODES:
                now.codes.setdefault((seen.read.set, place), {})[code] = None


def _count(counter: Counter[K], key: K) -> None:
    if key in counter or len(counter) < MOST_KINDS:
        counter[key] += 1


def newline_of(data: bytes, marks: Delimiters) -> str:
    """What follows the terminators of a transaction: an empty text, a line feed, or both line ends."""
    found = re.match(rb"\r?\n", data[data.find(marks.terminator) + 1 :])
    return found[0].decode() if found and marks.terminator in data and marks.terminator not in b"\r\n" else ""


def charset_of(data: bytes, marks: Delimiters) -> Charset:
    """The narrowest character set that holds a transaction."""
    if not data.isascii():
        return character_set(data, marks).name
    text = as_text(marks, basic=True)
    values = re.sub("[\r\n]", "", data.decode("ascii"))
    return "extended" if text.forbidden.search(values) else "basic"


_WIDTH: dict[Charset, int] = {"basic": 0, "extended": 1, "utf-8": 2, "latin-1": 3, "windows-1252": 4}


def _wider(one: Charset, other: Charset) -> Charset:
    return max(one, other, key=_WIDTH.__getitem__)


def unknown_codes(seen: TransactionSeen) -> Iterator[tuple[str, str]]:
    """Places and codes that aren't in the lists of the set's declaration, verified or not."""
    release = release_of(seen.version)[0]
    automaton = compiled_set(seen.read.set, release).grammar
    marks = as_text(seen.delimiters)
    state = 0
    for segment in segment_texts(seen.event, seen.delimiters)[1:]:
        elements = [value.strip() for value in segment.split(marks.element)]
        following = next_state(automaton, state, elements)
        if following is None or following < 0:
            continue
        state = following
        use = automaton.states[state].use
        for number, code in _outside(use, elements, marks.repetition) if use else ():
            yield f"{_path(automaton, state)}/{elements[0]}{number:02}", code


def _outside(use: SegmentUse, elements: list[str], repetition: str) -> Iterator[tuple[int, str]]:
    for number, one in enumerate(use.segment.elements, 1):
        text = elements[number] if number < len(elements) else ""
        if not text or not one.element.codes:
            continue
        for code in text.split(repetition) if repetition and one.repeat != 1 else [text]:
            if code not in one.element.codes and _could_be(one.element, code):
                yield number, code


def _could_be(element: Element, code: str) -> bool:
    """Whether only the list stands against it: what is too long or holds control characters is no code of theirs."""
    return element.min <= len(code) <= min(element.max, LONGEST_CODE) and code.isprintable()


def _path(automaton: Grammar, state: int) -> str:
    """The loops around the segment, and the segment where it doesn't open the innermost of them."""
    place = automaton.states[state]
    names = [automaton.loops[number].loop.id for number in place.path]
    if not place.opens and place.use is not None:
        names.append(place.use.segment.id)
    return "/".join(names)
