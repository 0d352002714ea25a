"""Which interchanges of a body have come before, so that the reader can refuse them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from hub.core.errors import JournalUnavailable, TransientError
from hub.core.ports import Body, InterchangeReader, Reader
from hub.journal.commit.entry import Entry
from hub.journal.interchanges.interchanges_received import EARLIER, EarlierOne, InterchangeReceived
from hub.runtime.boundary import Logged
from hub.runtime.contained.reading import ContainedReading
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.worker import WorkerLost
from hub.runtime.runtime import Runtime, Snapshot


class DuplicateInterchanges:
    """Asks only for partners that have agreed on duplicates; the numbers are recorded in the journal."""

    def __init__(self, runtime: Runtime, contained: ContainedReading) -> None:
        self._runtime = runtime
        self._contained = contained

    @staticmethod
    def may_ask(snapshot: Snapshot, reader: Reader) -> bool:
        return bool(snapshot.duplicate_days) and isinstance(reader, InterchangeReader)

    async def find(
        self,
        snapshot: Snapshot,
        reader: Reader,
        body: Body,
        claim: str,
        name: str,
        at: float,
        source: str,
        recipe: Recipe | None,
    ) -> Mapping[str, str]:
        """For each duplicate: its position, and in words when its number was taken. With a recipe a worker lists the
        interchanges."""
        days = snapshot.duplicate_days
        if not isinstance(reader, InterchangeReader) or not self.may_ask(snapshot, reader):
            return {}
        found: list[tuple[str, str, str]] = []
        with Logged(self._runtime.log, "interchanges_not_listed", but=(TransientError, JournalUnavailable, WorkerLost)):
            found = await self._listed(reader, body, source, recipe)
        seen = [
            InterchangeReceived(
                partner=partner,
                control_number=number.lstrip("0") or "0",
                claim=claim,
                position=position,
                name=name,
                at=at,
                days=days[partner],
            )
            for partner, number, position in found
            if partner in days
        ]
        if not seen:
            return {}
        entry = Entry()
        for one in seen:
            entry.add(EARLIER, one)
        earlier = (await self._runtime.journal.commit(entry)).of(EARLIER)
        return {one.position: describe_duplicate(earlier[one.key]) for one in seen if one.key in earlier}

    async def _listed(
        self, reader: InterchangeReader, body: Body, source: str, recipe: Recipe | None
    ) -> list[tuple[str, str, str]]:
        """What can't be looked through has no duplicates: the reader will say what is wrong with it."""
        if recipe is not None:
            return await self._contained.interchanges(recipe, source, body)
        return list(reader.interchanges(body))


def describe_duplicate(earlier: EarlierOne) -> str:
    """`taken on 2026-03-02 as acme_17.edi`; the day is UTC's."""
    day = datetime.fromtimestamp(earlier.at, UTC).date().isoformat()
    return f"taken on {day} as {earlier.name}" if earlier.name else f"taken on {day}"
