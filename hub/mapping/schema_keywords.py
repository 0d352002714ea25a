"""JSON Schema as the hub checks it: every keyword counts, and patterns, uniqueness and errors cost no more than the
value is long. Pure.

jsonschema matches patterns with `re`, which can take for ever on a stranger's text, and compares each item of
`uniqueItems` with each other. Here patterns are those of the `regex` crate in pydantic-core, which matches in linear
time; items are hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from decimal import Context, Decimal
from functools import wraps
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema._utils import find_evaluated_item_indexes_by_schema
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend as extended

from hub.core.linear_pattern import compile_pattern, matches

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

AT_LEAST = 20_000
FOR_EACH = 100
"""Keywords that may be looked at, and for each value within the value that is checked."""

MOST_NAMED = 5
MOST_ERRORS = 50
"""Errors of a value, and of each alternative, that are looked at."""
_EXACT = Context(prec=200)


class TooMuchChecking(Exception):
    pass


class _Work:
    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooMuchChecking


_WORK: ContextVar[_Work] = ContextVar("_WORK")


def bounded_errors(validator: Any, value: Any) -> Iterator[ValidationError]:
    """The errors of a value, one after the other. Raises TooMuchChecking, and RecursionError."""
    before = _WORK.set(_Work(AT_LEAST + FOR_EACH * _size(value)))
    try:
        yield from validator.iter_errors(value)
    finally:
        _WORK.reset(before)


def _size(value: Any) -> int:
    """Values within a value."""
    waiting, count = [value], 0
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def _pattern(validator: Any, wanted: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not matches(wanted, value):
        yield ValidationError(f"{value[:200]!r} does not match {wanted!r}")


def _pattern_properties(validator: Any, wanted: Mapping[str, Any], value: Any, schema: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for pattern, subschema in wanted.items():
            for name, one in value.items():
                if matches(pattern, name):
                    yield from validator.descend(one, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), tuple(schema.get("patternProperties", ()))
    others = [name for name in value if name not in known and not any(matches(each, name) for each in patterns)]
    if isinstance(wanted, dict):
        for name in others:
            yield from validator.descend(value[name], wanted, path=name)
    elif not wanted and others:
        named = ", ".join(repr(name[:80]) for name in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        verb = "was" if len(others) == 1 else "were"
        yield ValidationError(f"Additional properties are not allowed ({named}{more} {verb} unexpected)")


def _unique_items(validator: Any, wanted: bool, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not wanted or not isinstance(value, list):
        return
    seen: dict[Any, int] = {}
    for at, item in enumerate(value):
        first = seen.setdefault(equality_key(item), at)
        if first != at:
            yield ValidationError(f"items {first} and {at} are equal, expected each item once")
            return


def _any_of(validator: Any, wanted: Sequence[Any], value: Any, schema: Any) -> Iterator[ValidationError]:
    context: list[ValidationError] = []
    for at, subschema in enumerate(wanted):
        errors = _errors_of(validator, value, subschema, at)
        if not errors:
            return
        context += errors
    yield ValidationError(f"{_show(value)} is not valid under any of the given schemas", context=context)


def _one_of(validator: Any, wanted: Sequence[Any], value: Any, schema: Any) -> Iterator[ValidationError]:
    context, valid = list[ValidationError](), list[str]()
    for at, subschema in enumerate(wanted):
        errors = _errors_of(validator, value, subschema, at)
        context += errors
        if not errors:
            valid.append(str(at))
    if not valid:
        yield ValidationError(f"{_show(value)} is not valid under any of the given schemas", context=context)
    elif len(valid) > 1:
        yield ValidationError(f"{_show(value)} is valid under more than one schema: those at {', '.join(valid)}")


def _errors_of(validator: Any, value: Any, subschema: Any, at: int) -> list[ValidationError]:
    return list(islice(validator.descend(value, subschema, schema_path=at), MOST_ERRORS))


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _unevaluated_items(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, list):
        return
    found = set(find_evaluated_item_indexes_by_schema(validator, value, schema))
    others = [str(at) for at in range(len(value)) if at not in found]
    if others:
        named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
        yield ValidationError(f"Unevaluated items are not allowed (those at {named})")


def equality_key(value: Any) -> Any:
    """Equal for what JSON Schema takes for equal: 1 and 1.0, but not 1 and true. Numbers are texts in it: somebody
    could choose numbers whose hashes are all the same."""
    _WORK.get().spend(1)
    if isinstance(value, dict):
        return frozenset((name, equality_key(one)) for name, one in value.items())
    if isinstance(value, list):
        return tuple(equality_key(one) for one in value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return "n" + (format(_EXACT.normalize(Decimal(value)), "e") if value else "0")
    return "s" + value if isinstance(value, str) else (value,)


def _count_work(keyword: Keyword) -> Keyword:
    @wraps(keyword)
    def check(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        work = _WORK.get()
        work.spend(1)
        for error in keyword(validator, wanted, value, schema) or ():
            work.spend(len(error.message) // 64)
            yield error

    return check


_OURS: Mapping[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "additionalProperties": _additional_properties,
    "unevaluatedItems": _unevaluated_items,
    "uniqueItems": _unique_items,
}
_extended: Any = extended
Bounded: Any = _extended(
    Draft202012Validator,
    {name: _count_work(keyword) for name, keyword in {**Draft202012Validator.VALIDATORS, **_OURS}.items()},
)
"""The validator."""

FORMATS = FormatChecker(sorted(FormatChecker.checkers.keys() - {"regex"}))
"""Without `regex`: nobody compiles a stranger's pattern."""


def check_patterns(schemas: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValueError for a schema whose patterns can't be matched in linear time."""
    for schema in schemas:
        for pattern in (schema.get("pattern"), *schema.get("patternProperties", ())):
            if isinstance(pattern, str):
                compile_pattern(pattern)
    if any(schema.get("patternProperties") for schema in schemas) and any(
        "unevaluatedProperties" in schema for schema in schemas
    ):
        raise ValueError("unevaluatedProperties isn't taken beside patternProperties; say additionalProperties")
