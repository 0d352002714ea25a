"""The pieces of work that a worker does. Each is pickled by the hub, runs in the worker, and gives results one by
one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hub.core.ports import Arrival, Body, BytesBody, FileBody, InterchangeReader, Reading
from hub.core.typed_json import plain_values
from hub.documents import from_json, to_json
from hub.runtime.boundary import guarded
from hub.runtime.contained.asking import asked_of_hub, plain_error
from hub.runtime.contained.bench import Bench
from hub.runtime.contained.carrying import passed_result
from hub.runtime.contained.frame import Result
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.destination_steps import facts_of, only
from hub.runtime.delivery.rendering import render
from hub.runtime.intake.document_found import document_found
from hub.runtime.intake.source_steps import SourceSteps, SteppedReading
from hub.runtime.position import position_text, wanted
from hub.runtime.steps.walk import Walked, through


class Work(Protocol):
    """One piece of work. A result that asks is answered. What it raises ends it, and is told to the hub."""

    def run(self, bench: Bench) -> Generator[Result, Any]: ...


def opened(body: bytes | Path) -> Body:
    return FileBody(body) if isinstance(body, Path) else BytesBody(body)


@dataclass(frozen=True, slots=True)
class ReadArrival:
    """Reads a body, and takes what is in it through its steps. `arrival` has no body of its own."""

    arrival: Arrival
    body: bytes | Path
    headers: Mapping[str, Any]
    claim: str
    only: str | None = None

    def run(self, bench: Bench) -> Generator[Result, Any]:
        source = self.arrival.source
        reader = bench.reader(source)
        passage = SourceSteps(bench.facts, bench.source_steps(source), self.arrival, self.claim)
        for reading in guarded(lambda: reader.read(opened(self.body), self.headers)):
            if not wanted(self.only, position_text(reading.position), part=True):
                continue
            begun = passage.ahead(reading)
            if isinstance(begun, SteppedReading):
                yield passed_result(begun)
                continue
            way = through(passage.steps, begun, passage.facts_of(reading))
            for walked in (yield from asked_of_hub(way)):
                yield passed_result(passage.finished(reading, walked))


@dataclass(frozen=True, slots=True)
class FindDocument:
    """What a canonical document says, as `document_found`. `arrival` has no body of its own."""

    arrival: Arrival
    body: bytes
    envelope: Mapping[str, Any]

    def run(self, bench: Bench) -> Generator[Result, Any]:
        reading = Reading((), from_json(self.body), envelope=self.envelope)
        yield passed_result(SteppedReading(reading, found=document_found(bench.facts, self.arrival, reading, "")))


@dataclass(frozen=True, slots=True)
class ListInterchanges:
    """Partner, control number and position of each interchange of a body."""

    source: str
    body: bytes | Path

    def run(self, bench: Bench) -> Generator[Result, Any]:
        reader = bench.reader(self.source)
        if isinstance(reader, InterchangeReader):
            for partner, number, position in reader.interchanges(opened(self.body)):
                yield Result({"interchange": [partner, number, position]})


@dataclass(frozen=True, slots=True)
class WriteDocument:
    """The bytes of a document for a destination. `copy` has no body of its own; the rest as in `render`."""

    copy: RouteCopy
    destination: str
    body: bytes
    now: float
    key: str
    number: int | None
    trial: bool

    def run(self, bench: Bench) -> Generator[Result, Any]:
        form = bench.form(self.destination)
        written = render(self.copy, form, self.body, self.now, self.key, self.number, trial=self.trial)
        head = {
            "content_type": written.content_type,
            "facts": plain_values(written.facts),
            "expect_ack": written.expect_ack,
            "warnings": written.warnings,
        }
        yield Result({"written": head}, written.body)


@dataclass(frozen=True, slots=True)
class StepDocument:
    """What the steps of a destination make of a document."""

    copy: RouteCopy
    destination: str
    body: bytes
    released: tuple[str, ...]

    def run(self, bench: Bench) -> Generator[Result, Any]:
        steps = bench.destination_steps(self.destination)
        facts = facts_of(bench.facts, self.copy)
        walked = only((yield from asked_of_hub(through(steps, [Walked(from_json(self.body))], facts, self.released))))
        head = {
            "said": walked.said,
            "ends": walked.filtered,
            "error": None if walked.error is None else plain_error(walked.error),
        }
        yield Result(head, to_json(walked.document))
