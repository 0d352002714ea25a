"""The steps of a source, taken one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.core.errors import DecodeError, MessageError
from hub.core.ports import Reading
from hub.core.step import NamedStep
from hub.runtime.arrival_reader import Visit
from hub.runtime.arrival_terms import known
from hub.runtime.live import Snapshot


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of it: the reading that goes on, or one with the error. `said` are the steps that changed, ended or refused the
    document: name, and what it did. `filtered`: it ends here."""

    reading: Reading
    said: tuple[tuple[str, str], ...] = ()
    filtered: bool = False


def walk(steps: Sequence[NamedStep], snapshot: Snapshot, visit: Visit, reading: Reading) -> Walked:
    """Each step sees the document that the one before it has made, and its facts."""
    said: list[tuple[str, str]] = []
    for named in steps:
        document = reading.document
        if document is None:
            break
        facts = snapshot.facts.of(document, known(visit.arrival, reading), visit.arrival.source)
        try:
            stepped = named.step.take(document, facts)
        except MessageError as error:
            cause = DecodeError(f"step {named.name}: {error}")
            return Walked(replace(reading, document=None, error=cause), (*said, (named.name, "refused")))
        if stepped.filtered:
            return Walked(reading, (*said, (named.name, f"filtered out: {stepped.filtered}")), filtered=True)
        if stepped.document is not document:
            said.append((named.name, "changed"))
            reading = replace(reading, document=stepped.document)
    return Walked(reading, tuple(said))
