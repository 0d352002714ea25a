"""JSON as it must be: exact numbers, no key twice, checked by a schema of the site."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import islice
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry

from hub.core.errors import ConfigError
from hub.core.exact_number import LONGEST, exact, written_out
from hub.mapping.repeated import repeated
from hub.mapping.schema_keywords import FORMATS, MOST_ERRORS, Bounded, TooMuchChecking, bounded_errors, check_patterns
from hub.mapping.schema_references import lost_references, schemas_within

SCHEMAS = "routes/schemas"


class Json(str):
    """Text that is JSON already."""

    __slots__ = ()


def parse_json(text: str | bytes) -> Any:
    """Numbers with a fraction are Decimals. Raises ValueError (also for what isn't UTF-8), and RecursionError for deep
    nesting."""
    return json.loads(text, parse_float=exact, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_once)


def text_of_number(value: int | Decimal) -> str:
    return written_out(value) if isinstance(value, Decimal) else str(value)


class JsonCheck:
    """A JSON Schema of the site, compiled. It refers to nothing outside of itself."""

    def __init__(self, name: str, text: str) -> None:
        """Raises ConfigError."""
        self.name = name
        try:
            schema = parse_json(text)
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ConfigError(f"{SCHEMAS}/{name}: {path_of(error)}: {short(error.message)}") from None
        except ValueError as error:
            raise ConfigError(f"{SCHEMAS}/{name} isn't JSON: {error}") from None
        lost = next(lost_references(schema), None)
        if lost is not None:
            raise ConfigError(f"{SCHEMAS}/{name} refers to {lost!r}, which isn't in it; nothing is fetched")
        try:
            check_patterns(schemas_within(schema))
        except ValueError as error:
            raise ConfigError(f"{SCHEMAS}/{name}: {error}") from None
        self._validator = Bounded(schema, registry=Registry(), format_checker=FORMATS)

    def wrong(self, value: Any) -> str | None:
        """What is wrong, with its path; None when nothing is. Of the first errors it is the one that says most."""
        try:
            found = best_match(islice(bounded_errors(self._validator, value), MOST_ERRORS))
        except (TooMuchChecking, RecursionError):
            return f"$: it can't be checked by {self.name} within the time that its size allows"
        return f"{path_of(found)}: {short(found.message)} (as {self.name} wants it)" if found is not None else None


def path_of(error: ValidationError | SchemaError) -> str:
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)


def short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."


def _integer(text: str) -> int:
    if len(text) > LONGEST:
        raise ValueError(f"a number of {len(text)} characters, expected at most {LONGEST}")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"found {text}, which JSON doesn't have")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"the key {repeated(name for name, _ in pairs)!r} stands twice in an object")
    return found
