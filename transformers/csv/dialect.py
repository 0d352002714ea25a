"""How the values of a CSV file are told apart."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from hub.core.plugin import Options
from hub.mapping.encoding import LineEncoding


class Dialect(Options):
    """How values are told apart."""

    delimiter: str = Field(",", description='Between values: `,`, `;`, `|`; a tab is "\\t".')
    quote: str = Field(
        '"', description="Around values that hold a delimiter or a line's end; doubled, it stands for itself."
    )
    escape: str | None = Field(None, description="Before a quote that is part of a value, where it isn't doubled.")
    encoding: LineEncoding = Field("utf-8", description="utf-8, windows-1252, iso-8859-15, ...")

    @field_validator("delimiter", "quote", "escape")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in "\r\n\0 "):
            raise ValueError(f"{value!r} should be one character")
        return value

    def dialect(self) -> dict[str, Any]:
        """For the functions of the module csv."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote,
            "escapechar": self.escape,
            "doublequote": self.escape is None,
        }
