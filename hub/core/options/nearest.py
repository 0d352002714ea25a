"""The nearest right word, for every name that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The known word that is most like `word`, or None when nothing is near."""
    known = {known.lower(): known for known in words}
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return known[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """`did you mean ...?`, or None."""
    found = nearest(word, words)
    return f"did you mean {found}?" if found else None


def hint(word: str, words: Iterable[str], none: str = "there are none") -> str:
    """The nearest word, else what there is."""
    known = sorted(words)
    if found := did_you_mean(word, known):
        return found
    if not known:
        return none
    more = f", and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"known: {', '.join(known[:SHOWN])}{more}"
