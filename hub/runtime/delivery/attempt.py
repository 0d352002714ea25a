"""One attempt of a copy: what its deliveries share."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.routing.route import Route
from hub.runtime.copy import RouteCopy
from hub.runtime.runtime import Snapshot


@dataclass(slots=True)
class Attempt:
    """A copy in work, with the version of the site that it is worked by. `redelivered`: the broker delivered it before. `suspect`: a
    process died during it. `body`: its canonical form."""

    copy: RouteCopy
    route: Route
    snapshot: Snapshot
    redelivered: bool = False
    suspect: bool = False
    body: bytes = b""

    @property
    def came_again(self) -> bool:
        return self.redelivered or self.copy.came_again

    @property
    def fresh(self) -> bool:
        """Nobody has worked on this copy before, so that nothing is stored for it."""
        return self.copy.attempt == 1 and self.copy.parent is None and not self.redelivered
