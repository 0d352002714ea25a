"""Elements as values: each converter checks what it converts, and remembers what it has seen.

Real files say the same codes, dates and quantities over and over: a dictionary answers for those in one look-up, and
only a new text is looked at. Every memory is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from transformers.x12.declarations.declaration import FULL_DATE, Element
from transformers.x12.declarations.fields import numeric
from transformers.x12.finding import quoted

REMEMBERED = 20_000

_WHOLE = re.compile(r"-?\d+\Z", re.ASCII)
_DECIMAL = re.compile(r"-?(?:\d++(?:\.\d*+)?|\.\d++)\Z", re.ASCII)
_TIME = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d\d{0,2})?\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)

_NO_DIGITS = ("", ".")
"""What is left of most decimals without the digits at both ends."""

CENTURY = 70
"""Dates of six digits (before 004010): years from this one on are of the last century."""


class Refused(Exception):
    """The compiled reader doesn't take it; the diagnosis says why."""


class WrongElement(ValueError):
    """An element that breaks its declaration. `code` is that of AK403 (4010) and IK403 (5010)."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def checked(element: Element, text: str) -> Any:
    """The value of an element that is present. Raises WrongElement. A code outside of an unverified list passes."""
    kind = element.type
    number = numeric(kind)
    if number and not (_DECIMAL.match(text) if kind == "R" else _WHOLE.match(text)):
        expected = "a number" if kind == "R" else "a whole number"
        raise WrongElement("6", f"found {text[:40]!r}, expected {expected}")
    if kind == "DT":
        return _date(text, element.max)
    if kind == "TM" and not _TIME.match(text):
        raise WrongElement("9", f"found {text[:40]!r}, expected a time HHMM, HHMMSS or with hundredths")
    size = sum(c not in "-." for c in text) if number else len(text)
    if size < element.min:
        raise WrongElement("4", f"found {text!r}, expected at least {element.min} characters")
    if size > element.max:
        raise WrongElement("5", f"found {size} characters ({quoted(text)}), expected at most {element.max}")
    if element.verified and text not in element.codes:
        raise WrongElement("7", f"found {text!r}, expected one of {', '.join(sorted(element.codes))}")
    if not number:
        return text
    if kind == "N0":
        return int(text)
    return Decimal(text) if kind == "R" else Decimal(text).scaleb(-int(kind[1]))


def _date(text: str, size: int) -> date:
    if len(text) != size or not _DIGITS.match(text):
        raise WrongElement("8", f"found {text[:40]!r}, expected a date {'CC' if size == 8 else ''}YYMMDD")
    if size == 6:
        text = ("19" if int(text[:2]) >= CENTURY else "20") + text
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise WrongElement("8", f"found {text!r}, which is no day of the calendar") from None


class Values(dict[str, Any]):
    """Text to value, for one element: `values[text]`. The empty text is None. Raises Refused."""

    def __init__(self, element: Element) -> None:
        super().__init__()
        self._element = element
        self._plain = element.max if element.type == "R" and element.min == 1 else 0
        self[""] = None

    def __missing__(self, text: str) -> Any:
        if len(text) <= self._plain and text.strip("0123456789") in _NO_DIGITS and text != ".":
            value: Any = Decimal(text)
        else:
            try:
                value = checked(self._element, text)
            except WrongElement:
                raise Refused from None
        if len(self) > REMEMBERED:
            self.clear()
            self[""] = None
        if len(text) <= 40:
            self[text] = value
        return value


class Words(dict[str, str | None]):
    """Code to word, for one element: a code without a word is itself. A code that isn't in an unverified list is added
    to `warnings` each time. Raises Refused."""

    def __init__(self, element: Element, words: Mapping[str, str], warnings: list[str]) -> None:
        super().__init__()
        self._element = element
        self._words = words
        self._warnings = warnings
        self._clear()

    def _clear(self) -> None:
        self.clear()
        self[""] = None
        for code in self._element.codes or self._words:
            self[code] = self._words.get(code, code)

    def __missing__(self, text: str) -> str | None:
        try:
            checked(self._element, text)
        except WrongElement:
            raise Refused from None
        if self._element.codes:
            self._warnings.append(unknown_code(self._element, text))
            return self._words.get(text, text)
        if len(self) > REMEMBERED:
            self._clear()
        if len(text) <= 40:
            self[text] = text
        return text


def unknown_code(element: Element, text: str) -> str:
    """The warning for a code that isn't in a list that we couldn't verify."""
    return f"the code {text!r} of element {element.number} ({element.name}) isn't one that we know"


class Composite:
    """The components of one composite element: each checked and converted by its own memory."""

    def __init__(self, element: Element, memories: Sequence[Values | Words]) -> None:
        self._uses = element.components
        self._memories = memories
        self._blank = [None] * len(self._uses)
        self._full_dates = Values(FULL_DATE) if element.dated else None

    def __call__(self, text: str, separator: str) -> list[Any]:
        """A value for each component, None where there is none. Raises Refused."""
        if not text:
            return self._blank
        given = text.split(separator)
        if len(given) > len(self._uses):
            if any(given[len(self._uses) :]):
                raise Refused
            given = given[: len(self._uses)]
        found = [memory[part] for memory, part in zip(self._memories, given, strict=False)]
        if self._full_dates is not None and len(given) > 1 and given[1]:
            found[0] = self._full_dates[given[1] + given[0]]
        found += self._blank[len(found) :]
        for use, value in zip(self._uses, found, strict=True):
            if use.mandatory and value is None:
                raise Refused
        return found
