"""Durations as people write them: 500ms, 2s, 1m30s, 4h, 2d."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PART = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
WHOLE = re.compile(r"(?:\d{1,9}(?:ms|s|m|h|d))+")


def seconds(text: str) -> float:
    """Seconds. Raises ValueError, saying what is allowed."""
    if not WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write 500ms, 30s, 10m, 4h, 2d or 1m30s")
    return sum(int(number) * UNITS[unit] for number, unit in PART.findall(text))


def checked(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[str, AfterValidator(checked), Field(json_schema_extra={"pattern": WHOLE.pattern})]
"""The type of an option that holds a duration: text, checked when it is read."""
