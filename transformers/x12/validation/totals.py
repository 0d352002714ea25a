"""Totals that contradict what they are totals of: numbers of lines, sums of quantities, sums of money.

Which elements count or add what, the declarations of the sets say (`counts`, `sums`); what the total of the money is,
the documents say. Data element 347 (CTT02) is a hash total by the standard: the digits of all values, without decimal
points and signs, cut on the left. Most partners send the plain sum. Both are right. Source: data element 347 of release
004010 at stedi.com, kasoftware.com and dcsnewyork.com, and X12's own interpretation of it (RFI 14).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from hub.core.errors import DecodeError
from hub.documents import Document
from hub.documents.base import added
from transformers.x12.declarations.catalogue import NEWEST, known_sets, set_declaration
from transformers.x12.declarations.declaration import SegmentUse, walk

HASH = "347"
"""The data element that is a hash total."""

BELOW = "levels"
"""The field in which parts of a tree hold the parts below them."""


@dataclass(frozen=True, slots=True)
class WrongTotal:
    """A total, as it is stated and as it should be. `segment` and `element`: where X12 has it; `qualifier`: the first
    element of that segment, where several of them may stand there; `reference`: the number of the data element;
    `position`: of the segment, from 1 (ST), 0 where no transaction was read."""

    field: str
    segment: str
    element: int
    stated: str
    sentence: str
    qualifier: str = ""
    reference: str = ""
    position: int = 0

    @property
    def text(self) -> str:
        """With the field, for those who look into the document."""
        return f"{self.sentence} ({self.field})"


@dataclass(frozen=True, slots=True)
class CountedElement:
    """An element of a set that counts or adds what stands in fields. `of`: the fields, the first of which is right by
    the standard, and any of which is right. `digits`: how many it may have, of a hash total; 0: it is none."""

    segment: str
    element: int
    path: str
    of: tuple[str, ...]
    adds: bool
    reference: str = ""
    digits: int = 0


def contradictions(document: Document, name: str = "") -> tuple[WrongTotal, ...]:
    """All of them. `name`: the set that the document came in or goes out as; without it the first that carries its
    kind. Pure."""
    found = [one for element in counted_elements(document.kind, name) if (one := _contradiction(document, element))]
    balance = document.balance()
    if balance is None:
        return tuple(found)
    for field, stated, expected in balance.contradictions():
        right = f"the {balance.of} come to {_show(expected)}"
        found.append(_of_money(_money_place(document.kind, name, field), field, stated, right))
    return tuple(found)


def _of_money(money: WrongTotal, field: str, stated: Decimal, right: str) -> WrongTotal:
    where = f"{money.segment}{money.element:02}" if money.segment else "the total"
    where += f" ({money.qualifier})" if money.qualifier else ""
    sentence = f"{where} is {_show(stated)}, and {right}"
    return replace(money, field=field, stated=_show(stated), sentence=sentence)


def totals_error(found: Sequence[WrongTotal], offset: int | None = None) -> DecodeError:
    """Why a document is refused for them. `offset`: where its transaction begins."""
    first, more = found[0], f"; {len(found) - 1} more" if len(found) > 1 else ""
    segment = f"{first.segment}[{first.position}]" if first.position else first.segment or None
    text = f"its totals contradict its lines, and the agreement refuses that (totals: refuse): {first.text}{more}"
    return DecodeError(text, segment=segment, element=f"{first.segment}{first.element:02}", offset=offset)


def unknown_amounts(document: Document) -> tuple[str, ...]:
    """Why the document has no total though its lines have quantities and prices, a sentence for each line that has no
    amount."""
    found = [*document.unknown_amounts()]
    if not found or document.total is not None:
        return ()
    return tuple(f"{place}: {why}: no total can be computed from the lines" for place, why in found)


def _contradiction(document: Document, element: CountedElement) -> WrongTotal | None:
    stated = _at(document, element.path)
    if stated is None or stated in _right(document, element):
        return None
    expected, of = next(_right(document, element)), element.of[0]
    what = f"{of} adds up to" if element.adds else f"the number of {of} is"
    sentence = f"{element.segment}{element.element:02} is {_show(stated)}, and {what} {_show(expected)}"
    place = element.segment, element.element
    return WrongTotal(element.path, *place, _show(stated), sentence, reference=element.reference)


def counted(document: Document, element: CountedElement) -> Decimal | None:
    """What is written there: what the document says where that is right, else the count or the plain sum (of one that
    is too long for its element the hash total). None: the document says no sum, and a sum is not demanded."""
    stated = _at(document, element.path)
    if element.adds and stated is None:
        return None
    right = _right(document, element)
    plain = next(right)
    if stated is not None and (stated == plain or stated in right):
        return Decimal(stated)
    if not element.digits or _digits(plain) <= element.digits:
        return plain
    return list(_right(document, element))[1]


def _right(document: Document, element: CountedElement) -> Iterator[Decimal]:
    """All that may stand there: for each field the count or the plain sum, then the hash total where it may be one."""
    for path in element.of:
        values = _all(document, path.split("."))
        yield added(values) if element.adds else Decimal(len(values))
        if element.digits:
            yield hash_of(values, element.digits)


def hash_of(values: Iterable[Any], digits: int) -> Decimal:
    """The hash total of element 347: -.0018, .18, 1.8 and 18.01 give 1855, and 855 in three digits."""
    return Decimal(sum(int(f"{abs(value):f}".replace(".", "")) for value in values) % 10**digits)


@lru_cache(maxsize=256)
def counted_elements(kind: str, name: str = "") -> tuple[CountedElement, ...]:
    """Those of a set, or of all sets that carry a kind of document: each field once."""
    found: dict[str, CountedElement] = {}
    for one in _sets_of(kind, name):
        for use in walk(set_declaration(one, NEWEST).structure):
            for element in counted_in(use):
                found.setdefault(element.path, element)
    return tuple(found.values())


@lru_cache(maxsize=256)
def _sets_of(kind: str, name: str) -> tuple[str, ...]:
    return tuple(one for one in known_sets() if set_declaration(one, NEWEST).document == kind and name in ("", one))


def counted_in(use: SegmentUse) -> Iterator[CountedElement]:
    for adds, places in ((False, use.counts), (True, use.sums)):
        for position, paths in places.items():
            of = (paths,) if isinstance(paths, str) else tuple(paths)
            target = use.mapping.put.get(position) if use.mapping is not None else None
            if target is None:
                raise ValueError(f"{use.segment.id}{position:02} counts {of[0]}, and no field holds it")
            element = use.segment.elements[position - 1].element
            digits = element.max if element.number == HASH else 0
            yield CountedElement(use.segment.id, position, target.field, of, adds, element.number, digits)


@lru_cache(maxsize=256)
def _money_place(kind: str, name: str, field: str) -> WrongTotal:
    """Where X12 has a total of money; nowhere, where the set has no place for it."""
    if field.startswith("amounts["):
        return WrongTotal(field, "AMT", 2, "", "", "TT", "782")
    for one in _sets_of(kind, name):
        for use in walk(set_declaration(one, NEWEST).structure):
            for position, target in use.mapping.put.items() if use.mapping is not None and use.to is None else ():
                if target.field == field:
                    number = use.segment.elements[position - 1].element.number
                    return WrongTotal(field, use.segment.id, position, "", "", reference=number)
    return WrongTotal(field, "", 0, "", "")


def _at(document: Document, path: str) -> Any:
    try:
        return _getter(path)(document)
    except AttributeError:
        return None


_getter = lru_cache(maxsize=256)(attrgetter)


def _all(part: Any, path: list[str]) -> list[Any]:
    """The values at the end of a path through lists of parts, with those of the parts below them; nothing where there
    is none."""
    name, *rest = path
    value = getattr(part, name, None)
    if not isinstance(value, tuple):
        return [] if value is None else _all(value, rest) if rest else [value]
    if name != BELOW and len(rest) < 2:
        values = value if not rest else [getattr(one, rest[0], None) for one in value]
        if not rest or not any(isinstance(one, tuple) for one in values[:1]):
            return [one for one in values if one is not None]
    found: list[Any] = []
    for one in value:
        found += _all(one, rest) if rest else [one]
        if name == BELOW:
            found += _all(one, path)
    return found


def _digits(value: Decimal) -> int:
    return sum(character.isdecimal() for character in f"{value:f}")


def _show(value: Any) -> str:
    return f"{Decimal(value):f}"
