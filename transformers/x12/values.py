"""Elements as values: each converter checks what it converts, and remembers what it has seen.

Real files say the same codes, dates and quantities over and over: a dictionary answers for those in one look-up, and only
a new text is looked at. Every memory is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from transformers.x12.declaration import Element

REMEMBERED = 20_000

_WHOLE = re.compile(r"-?\d+\Z", re.ASCII)
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*|\.\d+)\Z", re.ASCII)
_TIME = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d\d{0,2})?\Z", re.ASCII)
_DIGITS8 = re.compile(r"\d{8}\Z", re.ASCII)


class Refused(Exception):
    """The compiled reader doesn't take it; the diagnosis says why."""


class WrongElement(ValueError):
    """An element that breaks its declaration. `code` is that of AK403 (4010) and IK403 (5010)."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def checked(element: Element, text: str) -> Any:
    """The value of an element that is present. Raises WrongElement. A code outside of an unverified list passes."""
    digits = len(text) if element.type not in ("N0", "N2", "R") else sum(c not in "-." for c in text)
    if element.type in ("N0", "N2") and not _WHOLE.match(text):
        raise WrongElement("6", f"found {text[:40]!r}, expected a whole number")
    if element.type == "R" and not _DECIMAL.match(text):
        raise WrongElement("6", f"found {text[:40]!r}, expected a number")
    if element.type == "DT":
        return _date(text)
    if element.type == "TM" and not _TIME.match(text):
        raise WrongElement("9", f"found {text[:40]!r}, expected a time HHMM, HHMMSS or with hundredths")
    if digits < element.min:
        raise WrongElement("4", f"found {text!r}, expected at least {element.min} characters")
    if digits > element.max:
        raise WrongElement("5", f"found {len(text)} characters ({text[:20]!r}...), expected at most {element.max}")
    if element.verified and text not in element.codes:
        raise WrongElement("7", f"found {text!r}, expected one of {', '.join(sorted(element.codes))}")
    if element.type == "N0":
        return int(text)
    if element.type == "N2":
        return Decimal(text).scaleb(-2)
    return Decimal(text) if element.type == "R" else text


def _date(text: str) -> date:
    if not _DIGITS8.match(text):
        raise WrongElement("8", f"found {text[:40]!r}, expected a date CCYYMMDD")
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
        if len(text) <= self._plain and _DECIMAL.match(text):
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
