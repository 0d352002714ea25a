"""A partner who sends the same bytes again gets the same acknowledgment again, where the agreement says `repeat`; a
redelivery doesn't."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from hub.core.identity import message_id
from hub.core.ports import nothing_to_note
from hub.journal.interchanges.answers import answers_standing
from hub.journal.processes.memory import JournalMemory
from hub.runtime.boundary import Logged
from hub.runtime.intake.arrival_reader import Visit
from hub.runtime.intake.source_steps import SteppedReading
from hub.runtime.runtime import Runtime

MOST_A_DAY = 3
"""Repeats of one acknowledgment within a day."""

DAY = 86_400.0

OWNER = "hub"


class RepeatedAcknowledgments:
    """Counts the arrivals of an acknowledgment's bytes that their source has acknowledged. The repeat that the next
    arrival gets is named by that count. So an arrival that is offered again, before its source has acknowledged it,
    gets the message that it got before.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._memory = JournalMemory(runtime.journal, OWNER)

    def agreed(self, visit: Visit, passed: SteppedReading) -> bool:
        """Whether the agreement has repeats, and the partner has sent what is read; a replay is ours."""
        if visit.is_partial or visit.parent is not None or passed.found is None:
            return False
        agreement = self._runtime.snapshot.partners.by_name(str(passed.found.facts.get("partner") or ""))
        return agreement is not None and agreement.acknowledge is not None and agreement.acknowledge.repeat

    def first(self, visit: Visit, id: str) -> None:
        """The acknowledgment `id` is made now for the first time."""
        visit.settling[id] = 1

    async def named(self, visit: Visit, id: str, place: tuple[str, ...]) -> str:
        """The id under which the acknowledgment `id`, which was made before, goes out now. It is that of a message that
        has been made where nothing is to be sent. Raises JournalUnavailable."""
        count = int(await self._memory.get(_name(id)) or 0)
        if not count:
            visit.settling[id] = 1
            return id
        claim, identity = visit.claim.digest, visit.arrival.identity
        numbers = range(max(0, count - MOST_A_DAY), count + 1)
        ids = {n: message_id(claim, (*place, f"repeat{n}"), identity) if n else id for n in numbers}
        standing = await answers_standing(self._runtime.journal, tuple(ids.values()))
        now, last = standing.get(ids[count]), standing.get(ids[count - 1])
        if now is None:
            latest = self._runtime.clock() - DAY
            today = [n for n in numbers if n and (made := standing.get(ids[n])) is not None and made.at > latest]
            if last is None or not last.delivered or len(today) >= MOST_A_DAY:
                return id
        visit.settling[id] = count + 1
        return ids[count]

    def settled(self, visit: Visit) -> Callable[[], Awaitable[None]]:
        """What the source calls once it has acknowledged the arrival."""
        return _Settled(self._runtime, self._memory, dict(visit.settling)) if visit.settling else nothing_to_note


class _Settled:
    """Records it. Never raises: without the record the next arrival of the bytes gets no repeat."""

    def __init__(self, runtime: Runtime, memory: JournalMemory, counts: Mapping[str, int]) -> None:
        self._runtime = runtime
        self._memory = memory
        self._counts = counts

    async def __call__(self) -> None:
        for id, count in self._counts.items():
            with Logged(self._runtime.log, "repeat_not_noted", message_id=id) as boundary:
                await self._memory.put(_name(id), str(count))
            if boundary.error is not None:
                return


def _name(id: str) -> str:
    return f"repeat:{id}"
