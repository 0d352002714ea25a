"""Values as the text of elements: the way back of `element_value`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from transformers.x12.declarations.declaration import Element, Target
from transformers.x12.declarations.element_value import CENTURY


class NoText(ValueError):
    """A value that the element can't carry; the text says why."""


def text_of(element: Element, value: Any, target: Target | None = None) -> str:
    """The element's text; empty for None. Raises NoText. Lengths and codes are checked by whoever reads it back."""
    if value is None:
        return ""
    if isinstance(value, date):
        return _date(element, value)
    if isinstance(value, bool):
        raise NoText(f"element {element.number} ({element.name}) can't hold {value}")
    if isinstance(value, Decimal | int):
        return _number(element, Decimal(value))
    text = str(value)
    if target is not None and target.words:
        return next((code for code, word in target.words.items() if word == text), text)
    return text


def _date(element: Element, value: date) -> str:
    text = value.strftime("%Y%m%d") if value.year > 999 else f"{value.year:04}{value:%m%d}"
    if element.type == "DT" and element.max == 6:
        if not in_window(value):
            raise NoText(f"a date of six digits can't say {value}")
        return text[2:]
    return text


def dated_texts(value: date) -> tuple[str, str]:
    """A date as the first two digits of its year, and the date of six digits behind them."""
    return f"{value.year:04}"[:2], f"{value.year % 100:02}{value:%m%d}"


def in_window(value: date) -> bool:
    """Whether a date of six digits says it without a century."""
    return 1900 + CENTURY <= value.year < 2000 + CENTURY


def _number(element: Element, value: Decimal) -> str:
    if element.type == "R":
        return f"{value:f}"
    places = int(element.type[1]) if element.type[0] == "N" and element.type[1:].isdigit() else 0
    scaled = value.scaleb(places)
    if scaled != scaled.to_integral_value():
        raise NoText(f"{value} has more than {places} decimal places")
    return f"{scaled.to_integral_value():f}"
