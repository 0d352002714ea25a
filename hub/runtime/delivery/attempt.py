"""One attempt of a copy: what its deliveries share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.routing.route import Route
from hub.journal.commit.entry import Committed
from hub.journal.deliveries.effects import STATES, EffectKey, EffectState
from hub.journal.deliveries.new_copies import NEW_COPIES, NewCopy
from hub.journal.rows import OnceRow
from hub.runtime.copy import RouteCopy
from hub.runtime.runtime import Snapshot


@dataclass(slots=True)
class Attempt:
    """A copy in work, with the version of the site that it is worked by. `redelivered`: the broker delivered it before.
    `suspect`: a process died during it. `body`: its canonical form. `only_new`: it begins with the commit that records
    its document, or not here; `once`: the key that it needs for that, and `new` what it has asked for."""

    copy: RouteCopy
    route: Route
    snapshot: Snapshot
    redelivered: bool = False
    suspect: bool = False
    body: bytes = b""
    only_new: bool = False
    once: OnceRow | None = None
    new: NewCopy | None = None

    @property
    def came_again(self) -> bool:
        return self.redelivered or self.copy.came_again

    @property
    def fresh(self) -> bool:
        """Nobody has worked on this copy before, so that nothing is stored for it."""
        return self.copy.attempt == 1 and self.copy.parent is None and not self.redelivered

    def states(self, committed: Committed) -> Mapping[EffectKey, EffectState]:
        """What the commit says of its effects. Empty for a copy that was to begin there, and did not."""
        if self.new is None:
            return committed.of(STATES)
        states = committed.of(NEW_COPIES).get(self.new, ())
        return {(state.document_id, state.destination): state for state in states}
