"""One copy at one destination, from plan to outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.effect import FAILED
from hub.core.errors import MappingError
from hub.core.ports import Written
from hub.core.stage import Stage
from hub.core.step import StepNote
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import Reason
from hub.journal.deliveries.effects import EffectKey, EffectState
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.attempt import Attempt
from hub.runtime.delivery.outcome import Busy, Failed, Outcome, Skipped
from hub.runtime.runtime import OpenDestination


@dataclass(slots=True, eq=False)
class Delivery:
    """What is known of it so far.

    - Plan: `gathered`, it goes in a batch with others; `takes_steps`, the destination's steps come first; `verdict`,
      its outcome is known and nothing is to be sent.
    - Bytes: `written` and `address`, or the `failure` to make them; `number`, the control number; `key`, the
      idempotency key; `notes`, what steps and the writer report, each with its name.
    - `turn_taken`: a turn of the destination's limit was taken for its send.
    - `state`: what the journal has in force. It exists after the first commit."""

    attempt: Attempt
    name: str
    destination: OpenDestination | None
    gathered: bool = False
    takes_steps: bool = False
    verdict: Outcome | None = None
    written: Written | None = None
    address: str | None = None
    failure: Exception | None = None
    key: str = ""
    number: int | None = None
    notes: tuple[StepNote, ...] = ()
    turn_taken: bool = False
    state: EffectState = field(init=False)

    @property
    def copy(self) -> RouteCopy:
        return self.attempt.copy

    @property
    def opened(self) -> OpenDestination:
        """The destination of a delivery without a verdict."""
        if self.destination is None:
            raise MappingError(f"nothing to send to {self.name}")
        return self.destination

    @property
    def sequence(self) -> str | None:
        """Whose control numbers the bytes need. A batch takes one for all its documents."""
        return self.destination.sequence if self.destination is not None and not self.gathered else None

    def accept(self, states: Mapping[EffectKey, EffectState], numbers: Mapping[EffectKey, int]) -> None:
        """Takes its state, and its control number, from the answers of a commit."""
        place = self.copy.document_id, self.name
        self.state = states[place]
        self.key = self.state.key
        self.number = numbers.get(place, self.number)

    def use_turn(self) -> bool:
        """Whether a turn was taken for its send, which goes on with it now."""
        taken, self.turn_taken = self.turn_taken, False
        return taken

    def known_outcome(self) -> Outcome | None:
        """The outcome, when it is known without sending. None: the bytes are to be made or sent. The journal comes
        first, then the verdict. A failure to make the bytes counts only while the journal holds none."""
        state, attempt = self.state, self.attempt
        if state.finished:
            return Skipped(f"{state.status} already")
        if not state.mine:
            return Busy(Reason.PROCESS, "another process is sending it")
        if attempt.came_again and state.status in FAILED and attempt.copy.attempt <= state.attempts:
            # the attempt that this copy stands for is recorded: its successor, a retry or a dead letter, is on its way
            return Skipped(f"{state.status} already, after attempt {state.attempts}")
        if self.verdict is not None:
            return self.verdict
        return Failed(self.failure) if self.failure is not None and state.claim is None else None

    def tell(
        self,
        entry: Entry,
        at: float,
        stage: Stage,
        *,
        text: str | None = None,
        attempt: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds an event to the story of the document: something happened to it at this destination."""
        copy = self.copy
        entry.event(
            copy.document_id,
            at,
            stage,
            route=copy.route,
            destination=self.name,
            attempt=attempt,
            text=text,
            detail=detail,
        )
