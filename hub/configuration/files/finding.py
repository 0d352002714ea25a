"""What a check found: an error or a warning, with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hub.core.errors import ConfigError, FilePlace

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """One thing that is wrong, or looks wrong. `str()` is `file:line:column: error: text (hint)`."""

    place: FilePlace
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
    """Collects findings. The same one is kept once. `errors` counts those that are errors."""

    def __init__(self) -> None:
        self._found: dict[SiteFinding, None] = {}
        self.errors = 0

    def error(self, place: FilePlace, text: str, hint: str | None = None) -> None:
        found = SiteFinding(place, "error", text, hint)
        if found not in self._found:
            self._found[found] = None
            self.errors += 1

    def warning(self, place: FilePlace, text: str, hint: str | None = None) -> None:
        self._found[SiteFinding(place, "warning", text, hint)] = None

    def raised(self, error: ConfigError, place: FilePlace) -> None:
        """An error that knows its own place, or has `place`."""
        self.error(error.place or place, error.text, error.hint)

    def __iter__(self) -> Iterator[SiteFinding]:
        """By file, line and column; errors before warnings at the same place."""
        return iter(sorted(self._found, key=_order))


def _order(finding: SiteFinding) -> tuple[str, int, int, str, str]:
    place = finding.place
    return (place.file, place.line, place.column, finding.severity, finding.text)
