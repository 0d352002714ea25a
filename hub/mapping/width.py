"""Widths and precisions to which a template fills a text: each is bounded before anything is made. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.mapping.meter import WIDEST, Meter

_DIGITS = re.compile(r"\d+")
"""Of every script: Python's formats take each decimal digit of Unicode."""

_FILLED = re.compile(r"%[-#0 +]*(?:\*|([0-9]*))(?:\.([0-9]*))?")
"""A width and a precision in what `%` fills with values that have no names."""


def width(value: Any) -> int:
    """A width within the bound. Raises ValueError."""
    if not isinstance(value, int) or abs(value) > WIDEST:
        raise ValueError(f"found the width {str(value)[:40]}, expected a number up to {WIDEST}")
    return max(value, 0)


def check_format(text: str) -> None:
    """Raises ValueError for a width that is written out in a format."""
    for found in _DIGITS.finditer(text):
        digits = found[0]
        if len(digits) > 4 and (len(digits) > 20 or int(digits) > WIDEST):
            raise ValueError(f"found the width {digits[:20]} in a format, expected at most {WIDEST}")


def count_percent(meter: Meter, text: str, values: Any) -> None:
    """Before `text % values`."""
    check_format(text)
    given = (
        values if isinstance(values, tuple) else tuple(values.values()) if isinstance(values, Mapping) else (values,)
    )
    stars = text.count("*")
    if stars:
        widest = max((width(abs(value)) for value in given if isinstance(value, int)), default=0)
        meter.text(stars * widest)
    pattern = _DIGITS if isinstance(values, Mapping) else _FILLED
    meter.text(sum(int(digits or 0) for found in pattern.finditer(text) for digits in (found.groups() or (found[0],))))
    places = text.count("%") if isinstance(values, Mapping) else 1
    for value in given:
        meter.step(places)
        for _ in range(places):
            meter.read(value)
    meter.text(len(text))
