"""What a source's steps make of what its reader has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.core.errors import DecodeError
from hub.core.ports import Arrival, Reading
from hub.core.step import NamedStep
from hub.runtime.arrival_reader import Visit
from hub.runtime.arrival_terms import belied, known
from hub.runtime.live import Snapshot
from hub.runtime.steps import Walked, walk


@dataclass(frozen=True, slots=True)
class Passed:
    """A reading that goes on to the routes, or one with the error that refuses it. `said` as in Walked. `filtered`: it ends here."""

    reading: Reading
    said: tuple[tuple[str, str], ...] = ()
    filtered: bool = False


async def passed(steps: Sequence[NamedStep], snapshot: Snapshot, visit: Visit, reading: Reading) -> list[Passed]:
    """In the order of the parts; one where nothing was split. Raises TransientError and JournalUnavailable."""
    if reading.document is None:
        return [Passed(reading)]
    arrival = visit.arrival
    walks = await walk(
        steps,
        reading.document,
        lambda document: snapshot.facts.of(
            document, known(arrival, replace(reading, document=document)), arrival.source
        ),
    )
    return [_checked(arrival, _passed(reading, walked)) for walked in walks]


def _checked(arrival: Arrival, made: Passed) -> Passed:
    """A step may name another partner, but not than the one that has proved to have sent the arrival."""
    lie = belied(arrival, made.reading)
    return made if lie is None else Passed(replace(made.reading, document=None, error=lie), made.said)


def _passed(reading: Reading, walked: Walked) -> Passed:
    if walked.part:
        envelope = {**reading.envelope, "part": "/".join(walked.part)}
        reading = replace(reading, position=(*reading.position, *walked.position), envelope=envelope)
    reading = replace(reading, document=walked.document)
    error = walked.error
    if error is not None:
        cause = error if isinstance(error, DecodeError) else DecodeError(str(error))
        reading = replace(reading, document=None, error=cause)
    return Passed(reading, walked.said, bool(walked.filtered))
