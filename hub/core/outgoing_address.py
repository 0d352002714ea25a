"""Where one document goes, and under which names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class OutgoingAddress:
    """What a person or a dry run is shown before anything is sent. Each adapter has a subclass with fields of its own,
    whose values are plain: texts, numbers, booleans, None, tuples and dicts of them.

    No field holds a secret. `credentials` are the names of the headers and parameters that let us in: `send` adds their
    values."""

    kind: ClassVar[str]
    """The adapter: `rest`."""
    credentials: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The place, in one line."""
        raise NotImplementedError

    def shown(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"kind": self.kind, "target": self.target, **asdict(self)}
