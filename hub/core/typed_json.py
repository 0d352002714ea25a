"""Values as JSON that gives them back: equal values of equal types.

JSON has text, booleans, integers of 64 bits, doubles and null. A value of another type is a pair of its type and its
text: `["number", "999.36"]`, `["date", "2026-03-02"]`, `["time", "2026-03-02T08:15:00+00:00"]`, `["bytes", "AAE="]`,
`["list", [1, 2]]`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

JSON_TYPES = frozenset((str, bool, type(None), float))

AGAIN: Mapping[str, Callable[[Any], Any]] = {
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
    "time": datetime.fromisoformat,
    "bytes": b64decode,
    "list": lambda values: [_restore(value) for value in values],
    "map": lambda values: values_again(values),
}


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as JSON that `values_again` understands."""
    return {name: value if type(value) in JSON_TYPES else plain_value(value) for name, value in values.items()}


def values_again(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError for what `plain_values` never gives."""
    return {name: value if type(value) in JSON_TYPES else _restore(value) for name, value in plain.items()}


def plain_value(value: Any) -> Any:
    """What has no type of these is kept as its text."""
    if value is None or isinstance(value, str | bool | float):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else ["integer", str(value)]
    if isinstance(value, Decimal):
        return ["number", str(value)]
    if isinstance(value, datetime):
        return ["time", value.isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, bytes | bytearray):
        return ["bytes", b64encode(value).decode()]
    if isinstance(value, list | tuple):
        return ["list", [plain_value(one) for one in value]]
    if isinstance(value, Mapping):
        return ["map", plain_values({str(name): one for name, one in value.items()})]
    return str(value)


def _restore(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | float | int):
        return value
    try:
        kind, text = value
        return AGAIN[kind](text)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{str(value)[:100]} is no value: {type(error).__name__}") from error


def dumped(value: Any) -> bytes:
    """JSON, also of text that UTF-8 can't hold."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def loaded(data: bytes | str) -> Any:
    """What `dumped` has made. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
