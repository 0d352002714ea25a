"""What `hub doctor` says of one thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is."""

    what: str
    state: Literal["ok", "warning", "error"]
    text: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
