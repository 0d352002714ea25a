"""What templates can do with a value: numbers, dates, code tables, widths, check digits. Each raises TypeError,
ValueError or LookupError with words for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from json.encoder import encode_basestring
from typing import Any

from jinja2 import Undefined
from pydantic import BaseModel

from hub.core.exact_number import exact, written_out
from hub.core.options.window import zone_named
from hub.documents.base import EXACT
from hub.mapping.json_text import Json, text_of_number

LONGEST = 10_000
"""Characters that a value is widened to, at most."""


def tojson(value: Any, indent: int | None = None) -> Json:
    """A whole JSON value. Decimals are strings of their digits, dates ISO, documents and their parts objects."""
    if isinstance(value, str) and indent is None:
        return Json(encode_basestring(value))
    return Json(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=_jsonable))


def _jsonable(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, Decimal):
        return written_out(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _show(value: Any) -> str:
    """A wrong value, for people. Raises jinja2's own error for a name that isn't there, which says the name."""
    if isinstance(value, Undefined):
        str(value)
    return repr(value)[:80]


def number(value: Any) -> Json:
    """A JSON number, digit by digit."""
    finite = not isinstance(value, Decimal) or value.is_finite()
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not finite:
        raise TypeError(f"found {_show(value)}, expected a number")
    return Json(text_of_number(value))


def fixed(value: Any, places: int = 2) -> Decimal:
    """An amount with that many decimals, half rounded up."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"found {_show(value)}, expected a number")
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def decimal(value: Any, point: str = ".", grouping: str = "") -> Decimal:
    """The number that a text says: `{{ "1.234,50" | decimal(",", ".") }}`. Groups are of three digits."""
    text = str(value).strip()
    if grouping and grouping in text:
        text = _ungrouped(text, point, grouping)
    if point != "." and "." in text:
        raise ValueError(f"found {str(value)[:80]!r}, expected a number with {point!r} before its decimals")
    text = text.replace(point, ".")
    try:
        return exact(text if text.isascii() and "_" not in text else "")
    except ValueError:
        raise ValueError(f"found {str(value)[:80]!r}, expected a number") from None


def _ungrouped(text: str, point: str, grouping: str) -> str:
    whole, mark, decimals = text.partition(point)
    first, *groups = whole.split(grouping)
    digits = first.removeprefix("-").removeprefix("+")
    if not 1 <= len(digits) <= 3 or not all(len(group) == 3 and group.isdigit() for group in groups):
        raise ValueError(f"found {text[:80]!r}, expected a number with {grouping!r} between groups of three digits")
    return "".join((first, *groups, mark, decimals))


def parse_date(value: Any, form: str = "%Y-%m-%d") -> date:
    """The day that a text says: `{{ "02.03.2026" | parse_date("%d.%m.%Y") }}`."""
    try:
        return datetime.strptime(str(value).strip(), form).date()
    except ValueError:
        raise ValueError(f"found {str(value)[:80]!r}, expected a date as {form}") from None


def parse_time(value: Any, form: str = "%Y-%m-%dT%H:%M:%S%z", zone: str = "") -> datetime:
    """The moment that a text says; `zone` is where its clock hangs when the text doesn't say."""
    try:
        found = datetime.strptime(str(value).strip(), form)
    except ValueError:
        raise ValueError(f"found {str(value)[:80]!r}, expected a time as {form}") from None
    if found.tzinfo is None:
        if not zone:
            raise ValueError(f"{str(value)[:80]!r} says not in which time zone; say parse_time(form, zone)")
        found = found.replace(tzinfo=zone_named(zone))
    return found


def format_date(value: Any, form: str = "%Y-%m-%d", zone: str = "") -> str:
    """A day or a moment as a text, a moment by the clock of `zone`. A text may be one in ISO form."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"found {value[:80]!r}, expected a date") from None
    if not isinstance(value, date):
        raise TypeError(f"found {_show(value)}, expected a date")
    if zone:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"{value} is no moment with a time zone; it can't be shown by the clock of {zone}")
        value = value.astimezone(zone_named(zone))
    return str(value.strftime(form))


def pad(value: Any, width: int, fill: str = " ", side: str = "right") -> str:
    """Filled up to the width at that side (`left` for numbers). A longer value is an error: truncate it first."""
    text = str(value)
    if len(fill) != 1 or side not in ("left", "right") or not 0 <= width <= LONGEST:
        raise ValueError(f"pad takes a width up to {LONGEST}, one character, and left or right")
    if len(text) > width:
        raise ValueError(f"found {text[:80]!r} with {len(text)} characters, expected at most {width}")
    return text.rjust(width, fill) if side == "left" else text.ljust(width, fill)


def cut(value: Any, width: int) -> str:
    """The first characters."""
    return str(value)[:width]


def gtin(value: Any) -> str:
    """A GTIN-8, -12, -13 or -14 whose check digit is right (GS1 General Specifications 7.9)."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) not in (8, 12, 13, 14):
        raise ValueError(f"found {text[:80]!r}, expected a GTIN of 8, 12, 13 or 14 digits")
    right = check_digit(text[:-1])
    if text[-1] != right:
        raise ValueError(f"found the GTIN {text} with the check digit {text[-1]}, expected {right}")
    return text


def check_digit(value: Any) -> str:
    """The digit that follows these: weights 3 and 1 from the right."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 17:
        raise ValueError(f"found {text[:80]!r}, expected digits")
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(text)))
    return str(-total % 10)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "tojson": tojson,
    "number": number,
    "fixed": fixed,
    "decimal": decimal,
    "parse_date": parse_date,
    "parse_time": parse_time,
    "format_date": format_date,
    "pad": pad,
    "cut": cut,
    "gtin": gtin,
    "check_digit": check_digit,
}
