"""What a list says that a filter left empty: a name that is misspelt must not read as `all is well`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.core.options.nearest import hint


def none_fits(noun: str, names: Mapping[str, str | None], known: Mapping[str, Iterable[str | None]], count: int) -> str:
    """`noun`: what is listed, as in `dead letter`; `names`: the filter's options; `known`: what the entries without the
    filter have for each; `count`: how many these are, at least one."""
    there = {option: {value for value in known[option] if value} for option in names}
    wrong = [
        f"none has the {option} {value!r} ({hint(value, there[option], 'they have none')})"
        for option, value in names.items()
        if value is not None and value not in there[option]
    ]
    whole = f"none of the {count} {noun}s fits" if count != 1 else f"the one {noun} does not fit"
    return f"{whole}: {'; '.join(wrong)}" if wrong else whole
