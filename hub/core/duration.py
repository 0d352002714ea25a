"""The type of an option that holds a duration, as people write it: 500ms, 2s, 1m30s, 4h, 2d."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from hub.core.retry import DURATION, parse_duration

seconds = parse_duration


def checked(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[str, AfterValidator(checked), Field(json_schema_extra={"pattern": f"^{DURATION.pattern}$"})]
"""Text, checked when it is read; `seconds` gives its value."""
