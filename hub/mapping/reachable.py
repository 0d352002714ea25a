"""What templates may reach of a value: an allow-list, by the value's type. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.utils import Cycler
from pydantic import BaseModel

from hub.documents.base import Part

FOR_TEMPLATES = "for_templates"
"""The attribute of a class that names the methods (of a class that is no part of a document: everything) that templates
may reach."""

TEXT = frozenset(
    [
        "capitalize",
        "casefold",
        "center",
        "count",
        "endswith",
        "find",
        "format",
        "format_map",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isprintable",
        "isspace",
        "istitle",
        "isupper",
        "join",
        "ljust",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rjust",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "zfill",
    ]
)
_DAY = frozenset(
    [
        "day",
        "month",
        "year",
        "ctime",
        "isoformat",
        "isocalendar",
        "isoweekday",
        "strftime",
        "timetuple",
        "toordinal",
        "weekday",
    ]
)
_CLOCK = frozenset(
    ["hour", "minute", "second", "microsecond", "fold", "tzinfo", "isoformat", "strftime", "tzname", "utcoffset", "dst"]
)
_MOMENT = _DAY | _CLOCK | frozenset(["astimezone", "date", "time", "timestamp", "timetz", "utctimetuple", "replace"])

_BUILT_IN: tuple[tuple[type, frozenset[str]], ...] = (
    (str, TEXT),
    (Mapping, frozenset(("get", "items", "keys", "values"))),
    (list, frozenset(("count", "index"))),
    (tuple, frozenset(("count", "index"))),
    (datetime.datetime, _MOMENT),
    (datetime.date, _DAY | {"replace"}),
    (datetime.time, _CLOCK),
    (datetime.timedelta, frozenset(("days", "seconds", "microseconds", "total_seconds"))),
    (Decimal, frozenset(("is_signed", "is_zero", "normalize", "to_integral_value"))),
    (
        LoopContext,
        frozenset(
            [
                "index",
                "index0",
                "revindex",
                "revindex0",
                "first",
                "last",
                "length",
                "depth",
                "depth0",
                "previtem",
                "nextitem",
                "cycle",
                "changed",
            ]
        ),
    ),
    (Cycler, frozenset(("current", "next", "reset"))),
    (Macro, frozenset(("name", "arguments", "catch_kwargs", "catch_varargs", "caller"))),
    (BlockReference, frozenset(("super",))),
)
_OF_PYDANTIC = frozenset(BaseModel.__mro__)


@lru_cache(maxsize=1024)
def reachable(kind: type) -> frozenset[str]:
    """Names of attributes and methods."""
    if issubclass(kind, Part):
        methods = {name for cls in kind.__mro__ for name in vars(cls).get(FOR_TEMPLATES, ())}
        return frozenset(kind.model_fields) | properties(kind) | methods
    listed = getattr(kind, FOR_TEMPLATES, None)
    if isinstance(listed, frozenset):
        return listed
    return next((names for base, names in _BUILT_IN if issubclass(kind, base)), frozenset())


@lru_cache(maxsize=1024)
def properties(kind: type[Part]) -> frozenset[str]:
    """Those that a part declares, without pydantic's own."""
    return frozenset(
        name
        for cls in kind.__mro__
        if cls not in _OF_PYDANTIC
        for name, value in vars(cls).items()
        if isinstance(value, (property, cached_property)) and not name.startswith("_")
    )


def is_reachable(value: object, name: str) -> bool:
    kind: Any = type(value)
    return name in reachable(kind)


def is_method(value: Any) -> bool:
    """Whether it is a method that its object's type lists."""
    owner, name = getattr(value, "__self__", None), getattr(value, "__name__", "")
    return owner is not None and not isinstance(owner, type) and is_reachable(owner, name)
