"""Facts that stand in the name of a file: `orders_{region}_{day}.csv`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from hub.core.message import EMPTY
from hub.core.routing.facts import BUILT_IN, FACT_NAME

LONGEST = 1000
"""Characters of a name that is looked at."""

_PLACE = re.compile(r"\{([^{}]*)\}|\*")
_EXAMPLE = "orders_{region}_{day}.csv"


class NamePattern:
    """Texts and places in turn. A place takes at least one character, and ends where what follows it comes first; the
    last one goes as far as it can. `*` is a place that gives nothing."""

    def __init__(self, text: str) -> None:
        """Raises ValueError."""
        parts = _PLACE.split(text)
        self._between, self._names = parts[::2], parts[1::2]
        if any("{" in part or "}" in part or "/" in part for part in self._between):
            raise ValueError(f"{text!r} should be a file's name with places in braces: {_EXAMPLE}")
        if not any(self._names):
            raise ValueError(f"{text!r} has no place that becomes a fact; write {_EXAMPLE}")
        if "" in self._between[1:-1]:
            raise ValueError(f"{text!r} has two places without a text between them; nobody can say where one ends")
        for name in filter(None, self._names):
            self._check(name)

    def _check(self, name: str) -> None:
        if not FACT_NAME.fullmatch(name) or (name in BUILT_IN and name != "partner"):
            raise ValueError(f"{name!r} is no name that a source can give; declare a fact with from: arrival.{name}")
        if self._names.count(name) > 1:
            raise ValueError(f"{{{name}}} stands twice")

    def facts(self, name: str) -> Mapping[str, str]:
        """Empty for a name that doesn't fit, is too long, or has characters that can't be shown. The time grows with
        its length alone."""
        begin, *between, end = self._between
        fits = name.startswith(begin) and name.endswith(end) and len(begin) + len(end) < len(name) <= LONGEST
        if not fits or not name.isprintable():
            return {}
        at, last, values = len(begin), len(name) - len(end), list[str]()
        for text in between:
            found = name.find(text, at + 1, last)
            if found < 0:
                return {}
            values.append(name[at:found])
            at = found + len(text)
        values.append(name[at:last])
        if not values[-1]:
            return {}
        return {key: value for key, value in zip(self._names, values, strict=True) if key}


def _checked(text: str | None) -> str | None:
    if text is not None:
        NamePattern(text)
    return text


FactsOfNames = Annotated[
    str | None,
    AfterValidator(_checked),
    Field(
        description=(
            "What the name says: `orders_{region}_{day}.csv` gives the facts `from: arrival.region` and `arrival.day`;"
            " `*` is anything. A file whose name doesn't fit is taken without them."
        )
    ),
]
"""An option of sources whose arrivals have a file's name."""


def facts_of_names(text: str | None) -> Callable[[str], Mapping[str, str]]:
    """For a source's options: from a name to its facts; none where no pattern is given."""
    return NamePattern(text).facts if text is not None else lambda name: EMPTY
