"""What a sample file of a partner's shows, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.agreement import InterchangeId
from transformers.x12.terms.observation import Observation

NEWLINES = {"": "none", "\n": "lf", "\r\n": "crlf"}


def sentences(seen: Observation) -> Iterator[str]:
    """What was seen, for people."""
    sets = ", ".join(f"{count} of {plain(name) or '?'}" for name, count in sorted(seen.sets.items()))
    yield (
        f"{_count(seen.interchanges, 'interchange')} from {_who(seen.sender)} to "
        f"{' and '.join(_who(one) for one in seen.receivers)}: {_count(seen.transactions, 'transaction')}"
        + (f" ({sets})" if sets else "")
    )
    kinds = {frozenset({True}): "test traffic", frozenset({False}): "production traffic"}
    yield f"{kinds.get(frozenset(seen.test), 'test and production traffic')} (ISA15)"
    if seen.versions:
        yield f"version {' and '.join(_version(version, seen) for version in seen.versions)} (GS08)"
    for marks in seen.delimiters:
        shown = " ".join(
            f"{name} {getattr(marks, name).decode('latin-1')!r}"
            for name in ("element", "component", "repetition", "terminator")
            if getattr(marks, name)
        )
        yield f"delimiters: {shown}, line ends: {' or '.join(NEWLINES[n] for n in seen.newlines) or 'none'}"
    if seen.charset not in ("basic", "extended"):
        yield f"characters beyond ASCII, in {seen.charset}"
    for (name, place), codes in seen.codes.items():
        yield f"{name} {place}: {', '.join(map(repr, codes))} isn't in our list of codes"
    if seen.broken:
        yield (
            f"{_count(seen.broken, 'transaction')} with other errors: `hub x12 validate` or `hub partner check` names"
            " them"
        )


def _version(version: str, seen: Observation) -> str:
    """With its sets, where there are several versions."""
    sets = [plain(name) or "?" for name, found in sorted(seen.set_versions.items()) if version in found]
    return (plain(version) or "?") + (f" for {', '.join(sets)}" if len(seen.versions) > 1 and sets else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _who(one: InterchangeId) -> str:
    return f"{plain(one.qualifier)}/{plain(one.id)}"


def plain(text: str) -> str:
    """A text of theirs in a comment or a sentence: one line, nothing that steers."""
    return ascii(text)[1:-1][:80]
