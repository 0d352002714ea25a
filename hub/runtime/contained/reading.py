"""Reading in worker processes: an arrival that ends its worker again and again is quarantined."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.core.errors import DecodeError, TransientError
from hub.core.identity import digest
from hub.core.ports import Arrival, Body, BytesBody, FileBody, Reading
from hub.runtime.contained.asking import asking
from hub.runtime.contained.carrying import carried
from hub.runtime.contained.frame import Garbled
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.work import FindDocument, ListInterchanges, ReadArrival, Work
from hub.runtime.contained.worker import WorkerLost, WorkFailed
from hub.runtime.contained.writing import as_it_was
from hub.runtime.intake.document_found import DocumentFound
from hub.runtime.intake.source_steps import SourceSteps, SteppedReading

if TYPE_CHECKING:
    from hub.runtime.runtime import Runtime


class ContainedReading:
    """Has arrivals read by workers. What a worker gave before it was lost stays, and is not given twice."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def passed(
        self,
        recipe: Recipe,
        passage: SourceSteps,
        body: Body,
        headers: Mapping[str, Any],
        only: str | None,
        given: int = 0,
    ) -> AsyncGenerator[list[SteppedReading]]:
        """See `ArrivalReader.passed`. The first `given` results are known already. An arrival whose workers were lost
        as often as `containment.quarantine_after` says is one more reading with an error, for the whole of it; the
        count is committed before a worker gets it again."""
        work = ReadArrival(without_body(passage.arrival), carriable(body), dict(headers), passage.claim, only)
        suspects, name = self._runtime.suspects, suspect_name(passage.arrival, passage.claim)
        lost = suspects.count(name)
        while lost < self._runtime.pool.limits.quarantine_after:
            ordinal, cause = 0, ""
            try:
                async with aclosing(self._read_in_worker(recipe, passage, work, body.size)) as readings:
                    async for found in readings:
                        ordinal += 1
                        if ordinal > given:
                            given = ordinal
                            yield found
            except WorkerLost as error:
                cause = str(error)
                lost = await suspects.add(name, cause, self._runtime.clock())
                continue
            if lost:
                await suspects.clear(name)
            return
        yield [quarantined(lost, suspects.cause(name))]

    async def interchanges(self, recipe: Recipe, source: str, body: Body) -> list[tuple[str, str, str]]:
        """What the source's reader lists. Raises WorkerLost, WorkFailed and TransientError."""
        work, found = ListInterchanges(source, carriable(body)), []
        async with aclosing(self._runtime.pool.results(source, recipe, work, body.size)) as results:
            async for result in results:
                partner, number, position = map(str, result.head["interchange"])
                found.append((partner, number, position))
        return found

    async def found(self, recipe: Recipe, arrival: Arrival, body: bytes, envelope: Mapping[str, Any]) -> DocumentFound:
        """As `document_found`, of a canonical document; its id is that of an arrival. Raises DecodeError and
        TransientError."""
        work, cause = FindDocument(without_body(arrival), body, dict(envelope)), ""
        for _ in range(self._runtime.pool.limits.quarantine_after):
            try:
                async with aclosing(self._runtime.pool.results(arrival.source, recipe, work, len(body))) as results:
                    async for result in results:
                        last = carried(result, arrival, "")
                if last.found is not None:
                    return last.found
                raise DecodeError("the worker has found no document in it")
            except WorkFailed as error:
                raise as_it_was(error) from None
            except (WorkerLost, Garbled) as error:
                cause = str(error)
        raise DecodeError(f"reading it {cause} (containment in config/hub.yaml sets the bounds)")

    async def _read_in_worker(
        self, recipe: Recipe, passage: SourceSteps, work: Work, size: int
    ) -> AsyncGenerator[list[SteppedReading]]:
        owner = passage.arrival.source
        try:
            asked = asking(passage.steps)
            async with aclosing(self._runtime.pool.results(owner, recipe, work, size, asked)) as results:
                async for result in results:
                    yield [carried(result, passage.arrival, passage.claim)]
        except WorkFailed as error:
            if error.error in ("TransientError", "ConfigError", "OSError", "FileNotFoundError"):
                raise TransientError(str(error), "failed") from error
            said = str(error) if error.error == "DecodeError" else f"the reader failed: {error.error}: {error}"
            yield [SteppedReading(Reading((), error=DecodeError(said)))]
        except Garbled as error:
            raise WorkerLost(f"broke its worker: {error}") from None


def quarantined(lost: int, cause: str) -> SteppedReading:
    again = "hub dead replay tries it again; containment in config/hub.yaml sets the bounds"
    return SteppedReading(
        Reading((), error=DecodeError(f"quarantined after {lost} tries: reading it {cause} ({again})"))
    )


def without_body(arrival: Arrival) -> Arrival:
    """As it can be pickled."""
    return replace(arrival, body=BytesBody(b""), headers=dict(arrival.headers), facts=dict(arrival.facts))


def carriable(body: Body) -> bytes | Path:
    """A large body stands in a file, which the worker opens."""
    return body.path.absolute() if isinstance(body, FileBody) else b"".join(body.chunks())


def suspect_name(arrival: Arrival, claim: str) -> str:
    """What tells an arrival from all others, as its messages' ids do."""
    return f"{arrival.source}:{claim}:{digest(arrival.identity.encode('utf-8', 'surrogatepass'))[:16]}"
