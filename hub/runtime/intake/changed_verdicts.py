"""The acknowledgments that we make, when the same bytes are read again: an equal one is the same message, and is not
sent twice, unless the agreement has repeats; another verdict (an overlay was repaired, a refused part was replayed) is
another message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hub.core.identity import message_id
from hub.journal.interchanges.answers import newest_answer
from hub.runtime.intake.arrival_reader import Visit
from hub.runtime.intake.repeated_acknowledgments import RepeatedAcknowledgments
from hub.runtime.intake.source_steps import SteppedReading
from hub.runtime.runtime import Runtime

MOST_VERDICTS = 100
"""Verdicts on one group whose acknowledgments are told apart; a further one is the last message again."""


class ChangedVerdicts:
    """The ids of the acknowledgments of one group: that of the first verdict is derived from the bytes and the place in
    them, those of later ones from their ordinal too."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._repeats = RepeatedAcknowledgments(runtime)

    def settled(self, visit: Visit) -> Callable[[], Awaitable[None]]:
        """What the source calls once it has acknowledged the arrival."""
        return self._repeats.settled(visit)

    async def named(self, visit: Visit, passed: SteppedReading) -> SteppedReading | None:
        """The acknowledgment under its id. None: a part is replayed, and the verdict on its group is what it was.
        Raises JournalUnavailable."""
        found = passed.found
        assert found is not None  # noqa: S101  (the caller looked)
        position, identity = passed.reading.position, visit.arrival.identity
        others = [(*position, f"verdict{n}") for n in range(2, MOST_VERDICTS)]
        places = (position, *others)
        ids = (found.id, *[message_id(visit.claim.digest, place, identity) for place in others])
        newest = await newest_answer(self._runtime.journal, ids)
        repeats = self._repeats.agreed(visit, passed)
        if newest is not None and newest[1] == found.canonical:
            if visit.is_partial:
                return None
            id = ids[newest[0]]
            if repeats:
                id = await self._repeats.named(visit, id, places[newest[0]])
        else:
            id = ids[0] if newest is None else ids[min(newest[0] + 1, len(ids) - 1)]
            if repeats:
                self._repeats.first(visit, id)
        return replace(passed, found=replace(found, id=id))
