"""What became of one copy at one destination: one of six."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.ports import Receipt
from hub.journal.copies.wait import Reason


class Delivered(NamedTuple):
    """The far end has it. `took`: the seconds of this send; 0 when an earlier attempt had the answer already."""

    receipt: Receipt
    took: float = 0.0


class Skipped(NamedTuple):
    """This copy has nothing left to do here: an earlier one, or a person, has decided."""

    why: str


class Busy(NamedTuple):
    """Another process has to do it: it is sending now (Reason.PROCESS), or it alone knows the destination
    (Reason.TABLE). The copy waits, and no attempt counts."""

    reason: Reason
    why: str


class Batched(NamedTuple):
    """It waits for a batch."""


class Filtered(NamedTuple):
    """A step of the destination ended it. Nothing is sent."""

    why: str


class Failed(NamedTuple):
    """The attempt ended in an error. `hub.core.retry.decide` says what follows."""

    error: Exception


Outcome = Delivered | Skipped | Busy | Batched | Filtered | Failed
