"""The acknowledgments that we make, when the same bytes are read again: an equal one is the same message, and is not sent twice; another
verdict (an overlay was repaired, a refused part was replayed) is another message."""

from __future__ import annotations

from dataclasses import replace

from hub.core.identity import message_id
from hub.journal.answers import newest_answer
from hub.runtime.arrival_reader import Visit
from hub.runtime.live import Live
from hub.runtime.passing import Passed

MOST_VERDICTS = 100
"""Verdicts on one group whose acknowledgments are told apart; a further one is the last message again."""


class ChangedVerdicts:
    """The ids of the acknowledgments of one group: that of the first verdict is derived from the bytes and the place in them, those of
    later ones from their ordinal too."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def named(self, visit: Visit, passed: Passed) -> Passed | None:
        """The acknowledgment under its id. None: a part is replayed, and the verdict on its group is what it was. Raises
        JournalUnavailable."""
        found = passed.found
        assert found is not None  # noqa: S101  (the caller looked)
        position, identity = passed.reading.position, visit.arrival.identity
        later = (message_id(visit.claim.digest, (*position, f"verdict{n}"), identity) for n in range(2, MOST_VERDICTS))
        ids = (found.id, *later)
        newest = await newest_answer(self._live.journal, ids)
        if newest is None:
            return passed
        place, canonical = newest
        if canonical == found.canonical:
            return None if visit.is_partial else replace(passed, found=replace(found, id=ids[place]))
        return replace(passed, found=replace(found, id=ids[min(place + 1, len(ids) - 1)]))
