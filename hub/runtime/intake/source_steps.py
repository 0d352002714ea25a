"""What becomes of a reading before the routes: it is checked against its sender, and goes through the steps of its
source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.core.errors import DecodeError
from hub.core.identity import message_id
from hub.core.ports import Arrival, Reading
from hub.core.record import record
from hub.core.routing.facts import OUTBOUND, FactSet
from hub.core.step import NamedStep, StepNote
from hub.documents import ACKNOWLEDGMENTS, Document
from hub.runtime.boundary import Boundary
from hub.runtime.intake.arrival_terms import check_sender, known_facts
from hub.runtime.intake.document_found import DocumentFound, document_found
from hub.runtime.steps.walk import Walked, walk_ahead, walk_on

UNFORESEEN = "it could not be taken: the hub failed on it, and has said how in its log"


@record
class SteppedReading:
    """A reading that goes on to the routes, with its document (`found`), or one with the error that refuses it. `said`
    as in Walked.
    `filtered`: it ends here. `unforeseen`: what nobody foresaw, for the log."""

    reading: Reading
    said: tuple[StepNote, ...] = ()
    filtered: bool = False
    found: DocumentFound | None = None
    unforeseen: Exception | None = None


@record
class SourceSteps:
    """The way of the readings of one arrival. `claim` is its digest."""

    facts: FactSet
    steps: Sequence[NamedStep]
    arrival: Arrival
    claim: str

    def ahead(self, reading: Reading) -> SteppedReading | list[Walked]:
        """As far as it comes without asking anybody. Raises TransientError."""
        lie = check_sender(self.arrival, reading)
        if lie is not None:
            return SteppedReading(refused(reading, reading.document, lie))
        document = reading.document
        if document is None:
            return SteppedReading(reading)
        if not self.steps:
            return [Walked(document)]
        begin = len(self.steps) if self._passes_as_it_is(reading, document) else 0
        return walk_ahead(self.steps, [Walked(document, next=begin)], self.facts_of(reading))

    async def on(self, reading: Reading, walks: Sequence[Walked]) -> list[SteppedReading]:
        """The rest of the way. Raises TransientError and JournalUnavailable."""
        if self.steps and any(walked.asks(self.steps) for walked in walks):
            walks = await walk_on(self.steps, walks, self.facts_of(reading))
        return [self.finished(reading, walked) for walked in walks]

    def finished_at_once(self, reading: Reading, walks: Sequence[Walked]) -> SteppedReading | None:
        """The end of the way of one document that asks nobody. None: there are parts, or it asks."""
        if len(walks) != 1 or (self.steps and walks[0].asks(self.steps)):
            return None
        return self.finished(reading, walks[0])

    @staticmethod
    def _passes_as_it_is(reading: Reading, document: Document) -> bool:
        """Acknowledgments take no steps, in both directions."""
        return document.kind in ACKNOWLEDGMENTS or reading.envelope.get("direction") == OUTBOUND

    def facts_of(self, reading: Reading) -> Callable[[Document], Mapping[str, Any]]:
        arrival = self.arrival
        return lambda document: self.facts.of(
            document, known_facts(arrival, replace(reading, document=document)), arrival.source
        )

    def finished(self, reading: Reading, walked: Walked) -> SteppedReading:
        if walked.part:
            envelope = {**reading.envelope, "part": "/".join(walked.part)}
            reading = replace(reading, position=(*reading.position, *walked.position), envelope=envelope)
        error = walked.error
        if error is not None:
            cause = error if isinstance(error, DecodeError) else DecodeError(str(error))
            return SteppedReading(refused(reading, walked.document, cause), walked.said)
        whole = reading if walked.document is reading.document else replace(reading, document=walked.document)
        lie = check_sender(self.arrival, whole)
        if (
            lie is not None
        ):  # a step may name another partner, but not than the one that has proved to have sent the arrival
            return SteppedReading(refused(reading, walked.document, lie), walked.said)
        id = message_id(self.claim, reading.position, self.arrival.identity)
        with Boundary() as boundary:
            found = document_found(self.facts, self.arrival, whole, id)
        if (failure := boundary.error) is not None:
            cause = failure if isinstance(failure, DecodeError) else DecodeError(UNFORESEEN)
            told = refused(reading, walked.document, cause)
            return SteppedReading(told, walked.said, unforeseen=None if cause is failure else failure)
        return SteppedReading(whole, walked.said, bool(walked.filtered), found)


def refused(reading: Reading, document: Document | None, error: DecodeError) -> Reading:
    """The reading of a document that may not go on, with all by which people look for it."""
    if document is None:
        return replace(reading, document=None, error=error)
    own = {"number": document.number, "partner": document.partner}
    further = {name: value for name, value in own.items() if value and not reading.envelope.get(name)}
    envelope, keys = {**reading.envelope, **further}, (*reading.keys, *document.keys)
    return replace(reading, document=None, error=error, envelope=envelope, keys=keys)
