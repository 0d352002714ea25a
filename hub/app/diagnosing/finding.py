"""What `hub doctor` says of one thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """How one thing is."""

    what: str
    state: Literal["ok", "warning", "error"]
    text: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


GONE = "a hub that has served the route goes on until it stops; bring it back to have them taken after that"
"""What to do about messages whose route or source the site has no more."""
