"""Numbers that others wrote, digit by digit: within bounds, so that writing one out again stays cheap. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

LONGEST = 64
"""Characters of a number."""

FURTHEST = 60
"""Powers of ten between its first digit and its point."""

LONGEST_WRITTEN = 1000
"""Powers of ten of a number that is written out."""


def exact(text: str) -> Decimal:
    """Raises ValueError, also for what isn't finite."""
    if len(text) > LONGEST:
        raise ValueError(f"a number of {len(text)} characters, expected at most {LONGEST}")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"found {text!r}, expected a number") from None
    if not found.is_finite():
        raise ValueError(f"found {text!r}, expected a number")
    if abs(found.adjusted()) > FURTHEST:
        raise ValueError(f"found {text!r}, expected a number of at most {FURTHEST} digits before or after its point")
    return found


def written_out(value: Decimal) -> str:
    """Its digits, without an exponent. Raises ValueError for a number so large or small that neither `exact` gives it
    nor a product of a few that it gave."""
    if abs(value.adjusted()) > LONGEST_WRITTEN:
        raise ValueError(f"found {value}, a number of more than {LONGEST_WRITTEN} digits")
    return format(value, "f")
