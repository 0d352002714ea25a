"""The type of an option that holds a duration, as people write it: 500ms, 2s, 1m30s, 4h, 2d."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from hub.core.retry import DURATION, parse_duration

seconds = parse_duration


def checked(text: str) -> str:
    parse_duration(text)
    return text


def with_unit(value: Any) -> Any:
    """Raises ValueError for a number, which is the commonest mistake."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write 500ms, 30s, 10m, 4h, 2d or 1m30s")
    return value


Duration = Annotated[
    str,
    BeforeValidator(with_unit),
    AfterValidator(checked),
    Field(json_schema_extra={"pattern": f"^{DURATION.pattern}$"}),
]
"""Text, checked when it is read; `seconds` gives its value."""
