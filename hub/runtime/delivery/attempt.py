"""One attempt to send a copy: what it knows on the way, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.effect import FAILED
from hub.core.ports import Receipt, Written
from hub.journal.effects import EffectState
from hub.runtime.copy import RouteCopy
from hub.runtime.runtime import Snapshot


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. One of: `receipt` (delivered now), `skipped` (nothing was to be sent, or not now), `waits` (it is
    to go with a batch), `elsewhere` (another process knows the destination), `filtered` (a step of the destination has ended it there), or `error`. `said` is what the steps did."""

    destination: str
    state: EffectState
    receipt: Receipt | None = None
    skipped: str = ""
    busy: bool = False
    elsewhere: bool = False
    waits: bool = False
    error: BaseException | None = None
    took: float = 0.0
    filtered: str = ""
    said: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Attempt:
    """One copy on its way to its open destinations; the rest is by destination. `together`: it is to go there with others. `stepping`: the
    destination has steps of its own. `early`: why nothing is to be sent. `elsewhere`: this process doesn't have the destination, and another one does. `filtered`: why it ends there. `addresses`: what the bytes made now are called
    there, or why they can't be called anything."""

    copy: RouteCopy
    body: bytes
    redelivered: bool
    snapshot: Snapshot
    rendered: dict[str, Written | None] = field(default_factory=dict)
    early: dict[str, BaseException] = field(default_factory=dict)
    together: set[str] = field(default_factory=set)
    stepping: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    filtered: dict[str, str] = field(default_factory=dict)
    said: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    states: dict[str, EffectState] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str | BaseException] = field(default_factory=dict)
    suspect: bool = False

    def misses(self, name: str) -> bool:
        """Whether the bytes for a destination are still to be made, now."""
        if name in self.early or name in self.elsewhere:
            return False
        return self.states[name].needs_bytes and self.rendered.get(name) is None


class Stale(Exception):
    """A delivery whose outcome was committed, but not acknowledged, before it came again."""


def stale(copy: RouteCopy, state: EffectState) -> bool:
    """The attempt that this redelivered copy stands for is recorded: its successor, a retry or a dead letter, is on its way."""
    return state.status in FAILED and copy.attempt <= state.attempts
