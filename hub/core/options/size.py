"""The type of an option that holds a size, as people write it: 500KB, 10MB, 1GB. A KB has 1,000 bytes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

SIZE = re.compile(r"([1-9][0-9]{0,5})(B|KB|MB|GB)")
UNITS = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def parse_size(text: str) -> int:
    """Bytes. Raises ValueError."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size; write it as 500KB, 10MB or 1GB")
    return int(match[1]) * UNITS[match[2]]


def checked(text: str) -> str:
    parse_size(text)
    return text


def with_unit(value: Any) -> Any:
    """Raises ValueError for a number, which is the commonest mistake."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write it as 500KB, 10MB or 1GB")
    return value


Size = Annotated[
    str, BeforeValidator(with_unit), AfterValidator(checked), Field(json_schema_extra={"pattern": f"^{SIZE.pattern}$"})
]
"""Text, checked when it is read; `parse_size` gives its value."""
