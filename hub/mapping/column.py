"""The values of a row: text, number, day, by what its column says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from hub.documents.base import EXACT
from hub.mapping.filters import decimal, format_date, parse_date

WORDS = (
    "text, integer, decimal, decimal comma, implied 2 (a number without its point, two decimals), or date with a"
    " format: date %d.%m.%Y"
)
_INTEGER = re.compile(r"\s*-?[0-9]{1,24}\s*")
_IMPLIED = re.compile(r"implied ([1-9])")


def converter(kind: str) -> Callable[[str], Any]:
    """Raises ValueError for a type that isn't known. What it gives raises ValueError for a text that isn't of the type;
    an empty text is None, but for the type text."""
    if kind == "text":
        return str
    if kind == "integer":
        return _or_none(_integer)
    if kind == "decimal":
        return _or_none(decimal)
    if kind == "decimal comma":
        return _or_none(lambda text: decimal(text, ",", "."))
    if (implied := _IMPLIED.fullmatch(kind)) is not None:
        places = int(implied[1])
        return _or_none(lambda text: _with_point(text, places))
    if kind.startswith("date %"):
        form = kind.removeprefix("date ")
        return _or_none(lru_cache(4096)(lambda text: parse_date(text, form)))  # few days, in many rows
    raise ValueError(f"{kind!r} is no type of a column; {WORDS}")


def formatter(kind: str) -> Callable[[str], str]:
    """The other way: from a plain value's text to how it stands in the column. Raises ValueError as `converter`
    does."""
    converter(kind)
    if kind == "integer":
        return lambda text: str(_integer(text))
    if kind == "decimal":
        return lambda text: format(decimal(text), "f")
    if kind == "decimal comma":
        return lambda text: format(decimal(text), "f").replace(".", ",")
    if (implied := _IMPLIED.fullmatch(kind)) is not None:
        return lambda text: _without_point(decimal(text), int(implied[1]))
    if kind != "text":
        return lambda text: format_date(text, kind.removeprefix("date "))
    return str


def _with_point(text: str, places: int) -> Decimal:
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"found {text[:80]!r}, expected digits, of which the last {places} are decimals")
    return Decimal(int(text)).scaleb(-places, EXACT)


def _without_point(value: Decimal, places: int) -> str:
    scaled = value.scaleb(places, EXACT)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"found {value:f}, expected at most {places} decimals")
    return str(int(scaled))


def _or_none(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: convert(text) if text and not text.isspace() else None


def _integer(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"found {text[:80]!r}, expected an integer")
    return int(text)


def checked(types: dict[str, str]) -> dict[str, str]:
    for kind in types.values():
        converter(kind)
    return types


ColumnTypes = Annotated[
    dict[str, str], AfterValidator(checked), Field(description=f"What the values of columns are: {WORDS}.")
]


class Columns:
    """Converts rows. Columns without a type are text."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._converters = {name: converter(kind) for name, kind in types.items() if kind != "text"}

    def unknown(self, names: tuple[str, ...]) -> str | None:
        """A column with a type that isn't among these."""
        return next((name for name in self._converters if name not in names), None)

    def values(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with its values converted. Raises ValueError, which names the column."""
        name = ""
        try:
            for name, convert in self._converters.items():
                if name in row:
                    row[name] = convert(row[name])
        except (ValueError, TypeError) as error:
            raise ValueError(f"column {name}: {error}") from None
        return row
