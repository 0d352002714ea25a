"""Control numbers without their leading zeros: partners' programs write them, and they name the same thing. A warning,
no error."""

from __future__ import annotations

from collections.abc import Sequence

from transformers.x12.envelope.verdict import same_number

SHORTEST = 4
"""Digits of a transaction set control number (element 329)."""

ACKNOWLEDGMENT_SETS = frozenset(("997", "999"))


def padded(name: str, segments: list[str], separator: str) -> tuple[list[str], tuple[str, ...]]:
    """The segments of an acknowledgment with AK202 as the standard has it, and a warning for each that was short."""
    if name not in ACKNOWLEDGMENT_SETS:
        return segments, ()
    made, warnings = list(segments), list[str]()
    for place, segment in enumerate(segments):
        if not segment.startswith(f"AK2{separator}"):
            continue
        elements = segment.split(separator)
        number = elements[2].strip() if len(elements) > 2 else ""
        if number.isascii() and number.isdecimal() and len(number) < SHORTEST:
            elements[2] = number.zfill(SHORTEST)
            made[place] = separator.join(elements)
            warnings.append(f"AK202 is {number!r}, expected at least {SHORTEST} digits; taken as {elements[2]!r}")
    return made, tuple(warnings)


def trailer_warnings(trailer: Sequence[str], number: str) -> tuple[str, ...]:
    """SE02 that is the number of ST02, written otherwise."""
    control = trailer[2].strip() if len(trailer) > 2 else ""
    if control == number or not same_number(control, number):
        return ()
    return (f"SE02 is {control[:20]!r}, and ST02 {number[:20]!r}: compared as numbers",)
