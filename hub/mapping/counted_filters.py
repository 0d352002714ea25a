"""Jinja's filters and tests and the hub's own, each of which counts what it looks at and what it makes. Pure.

What a filter would make is bounded before it makes it, wherever it can be more than what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from jinja2.filters import FILTERS as OF_JINJA
from jinja2.runtime import LoopContext
from jinja2.tests import TESTS as TESTS_OF_JINJA

from hub.mapping.filters import FILTERS as OF_THE_HUB
from hub.mapping.meter import METER, Meter
from hub.mapping.width import count_percent, width

LEFT_OUT = ("pprint", "random", "urlize")
"""`random` would give other bytes each time; the others take a time that grows with the square of the text, and nobody
needs them."""

_FREE = frozenset(
    ["abs", "attr", "count", "d", "default", "first", "float", "fixed", "int", "length", "number", "table"]
)
"""They look at one thing."""

_WHOLE = frozenset(
    [
        "dictsort",
        "e",
        "escape",
        "forceescape",
        "groupby",
        "max",
        "min",
        "safe",
        "sort",
        "string",
        "title",
        "tojson",
        "trim",
        "unique",
        "urlencode",
        "wordcount",
        "xmlattr",
    ]
)
Filter = Callable[..., Any]


def counted_filters() -> dict[str, Filter]:
    """All that templates have."""
    known = {name: made for name, made in {**OF_JINJA, **OF_THE_HUB}.items() if name not in LEFT_OUT}
    return {name: counted(name, made) for name, made in known.items()}


def counted_tests() -> dict[str, Filter]:
    return {name: _counted_test(made) for name, made in TESTS_OF_JINJA.items()}


def counted(name: str, made: Filter) -> Filter:
    """The filter `made`, which counts."""
    at = 1 if hasattr(made, "jinja_pass_arg") else 0
    before = _BEFORE.get(name, _read_all if name in _WHOLE else _nothing if name in _FREE else _items)

    @wraps(made)
    def count(*args: Any, **named: Any) -> Any:
        meter = METER.get()
        if len(args) > at:
            given = before(meter, args[at], args[at + 1 :], named)
            args = (*args[:at], given, *args[at + 1 :])
        return meter.made(made(*args, **named))

    return count


def _counted_test(made: Any) -> Filter:
    @wraps(made)
    def count(*args: Any, **named: Any) -> Any:
        meter = METER.get()
        for value in args:
            meter.read(value)
        return made(*args, **named)

    return count


def count_replace(meter: Meter, text: Any, old: Any, new: Any, most: Any = None) -> None:
    text, old, new = str(text), str(old), str(new)
    times = text.count(old)
    if isinstance(most, int) and most >= 0:
        times = min(times, most)
    meter.text(len(text) + times * len(new))


def count_join(meter: Meter, between: Any, items: Any) -> list[Any]:
    """The items, each counted."""
    found = list(meter.counted(items))
    for item in found:
        meter.read(item)
    meter.text(len(str(between)) * len(found))
    return found


def _nothing(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return meter.number(value)


def _items(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    meter.looked_at(value)
    return value


def _read_all(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return meter.read(list(value) if isinstance(value, Iterator) and not isinstance(value, LoopContext) else value)


def _argument(args: tuple[Any, ...], named: Mapping[str, Any], at: int, name: str, default: Any) -> Any:
    return args[at] if len(args) > at else named.get(name, default)


def _center(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    meter.text(width(_argument(args, named, 0, "width", 80)))
    return meter.read(value)


def _indent(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    by = _argument(args, named, 0, "width", 4)
    size = len(by) if isinstance(by, str) else width(by)
    text = str(meter.read(value))
    meter.text(len(text) + (len(text.splitlines()) + 1) * size)
    return value


def _replace(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    meter.read(value)
    old, new = _argument(args, named, 0, "old", ""), _argument(args, named, 1, "new", "")
    count_replace(meter, value, old, new, _argument(args, named, 2, "count", None))
    return value


def _join(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return count_join(meter, _argument(args, named, 0, "d", ""), value)


def _batch(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    meter.step(width(_argument(args, named, 0, "linecount", 1)))
    meter.looked_at(value)
    return value


def _slice(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    meter.step(width(_argument(args, named, 0, "slices", 1)))
    meter.looked_at(value)
    return value


def _format(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    count_percent(meter, str(value), dict(named) if named else args)
    return value


def _round(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    places = _argument(args, named, 0, "precision", 0)
    if not isinstance(places, int) or abs(places) > 100:
        raise ValueError(f"found the precision {str(places)[:40]}, expected a number up to 100")
    return meter.number(value)


def _sum(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    if hasattr(_argument(args, named, 1, "start", 0), "__len__"):
        raise TypeError("`sum` adds numbers, not lists")
    meter.looked_at(value)
    return value


def _tojson(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    indent = _argument(args, named, 0, "indent", None)
    if indent is not None and (not isinstance(indent, int) or not 0 <= indent <= 16):
        raise ValueError(f"found the indent {str(indent)[:40]}, expected a number from 0 to 16")
    return meter.read(value)


def _wordwrap(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """A long word is cut once for each of its lines, and copied each time."""
    text = str(value)
    lines = len(text) // max(width(_argument(args, named, 0, "width", 79)), 1) + text.count("\n") + 1
    between = _argument(args, named, 2, "wrapstring", None)
    meter.text(len(text) * (1 + len(str(between or "\n"))))
    meter.text(max(map(len, text.split()), default=0) * lines)
    return value


def _striptags(meter: Meter, value: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """The text is copied for each of its tags."""
    text = str(meter.read(value))
    meter.text(len(text) * text.count("<"))
    return value


_BEFORE: Mapping[str, Callable[[Meter, Any, tuple[Any, ...], Mapping[str, Any]], Any]] = {
    "batch": _batch,
    "center": _center,
    "format": _format,
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "slice": _slice,
    "striptags": _striptags,
    "sum": _sum,
    "tojson": _tojson,
    "wordwrap": _wordwrap,
}
