"""What of one arrival is refused beyond the dead letters that it may make: one letter stands for all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.errors import DecodeError
from hub.core.identity import digest
from hub.core.ports import Reading
from hub.runtime.position import position_text

MOST_LETTERS = 100
"""Dead letters of one arrival that stand for one part each."""

MOST_POSITIONS = 100_000
"""Positions that one letter keeps. One that stands for more takes the whole arrival when it is replayed: what was taken
before is not done again."""


REST = "rest-"
"""How the position of such a letter begins."""


@dataclass(slots=True)
class Remainder:
    """The parts that are refused, while an arrival is taken."""

    count: int = 0
    first: Reading | None = None
    positions: list[str] = field(default_factory=list)

    def add(self, reading: Reading) -> None:
        self.count += 1
        self.first = self.first or reading
        if self.count <= MOST_POSITIONS:
            self.positions.append(position_text(reading.position))

    @property
    def covers(self) -> bytes:
        """Empty where there are too many."""
        return "\n".join(self.positions).encode() if self.count <= MOST_POSITIONS else b""

    def letter(self) -> Reading:
        """The one that stands for all. Its position is made of theirs, so that the same bytes give the same letter."""
        first = self.first
        place, error = (position_text(first.position), first.error) if first is not None else ("", None)
        text = (
            f"{self.count} more parts of this arrival are refused; this letter stands for all of them. The first is"
            f" {place}: {error}"
        )
        named = digest(self.covers or f"{self.count} from {place}".encode())[:16]
        return Reading((REST + named,), error=DecodeError(text))


def covered(text: bytes) -> frozenset[str]:
    """The positions that a letter keeps."""
    return frozenset(text.decode().split("\n"))
