"""What a check found: an error or a warning, with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hub.core.errors import ConfigError, Place

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or looks wrong. `str()` is `file:line:column: error: text (hint)`."""

    place: Place
    severity: Severity
    text: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.text}" + (f" ({self.hint})" if self.hint else "")

    def as_dict(self) -> dict[str, str | int | None]:
        """For `--json`."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "severity": self.severity,
            "text": self.text,
            "hint": self.hint,
        }


class Findings:
    """Collects findings. The same one is kept once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def error(self, place: Place, text: str, hint: str | None = None) -> None:
        self._found.setdefault(Finding(place, "error", text, hint))

    def warning(self, place: Place, text: str, hint: str | None = None) -> None:
        self._found.setdefault(Finding(place, "warning", text, hint))

    def raised(self, error: ConfigError, place: Place) -> None:
        """An error that knows its own place, or has `place`."""
        self.error(error.place or place, error.text, error.hint)

    def __iter__(self) -> Iterator[Finding]:
        """By file, line and column; errors before warnings at the same place."""
        return iter(sorted(self._found, key=_order))

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self._found)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.place
    return (place.file, place.line, place.column, finding.severity, finding.text)
