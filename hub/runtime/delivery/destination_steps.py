"""What a destination's steps make of a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.core.errors import MappingError, MessageError, RejectedError
from hub.core.routing.facts import ENVELOPE, FactSet
from hub.core.step import NamedStep, StepNote
from hub.documents import from_json, to_json
from hub.runtime.copy import RouteCopy, unpack_facts
from hub.runtime.steps.walk import FactsOf, Walked, walk_on

KEPT = (*ENVELOPE, "partner", "test", "direction", "part")
"""Facts that no document carries: the copy does."""


@dataclass(frozen=True, slots=True)
class SteppedBody:
    """`body` is the canonical form that goes on. The rest as in Walked."""

    body: bytes
    said: tuple[StepNote, ...] = ()
    filtered: str = ""
    error: MessageError | RejectedError | None = None


async def stepped(
    steps: Sequence[NamedStep], facts: FactSet, copy: RouteCopy, body: bytes, *, released: Collection[str]
) -> SteppedBody:
    """Of the canonical form `body`. Raises DecodeError for what is no document, TransientError and
    JournalUnavailable."""
    return body_of(only(await walk_on(steps, [Walked(from_json(body))], facts_of(facts, copy), released)))


def only(walks: Sequence[Walked]) -> Walked:
    if len(walks) != 1:
        raise MappingError("a step has made several documents of it: `split` belongs to a source")
    return walks[0]


def body_of(walked: Walked) -> SteppedBody:
    return SteppedBody(to_json(walked.document), walked.said, walked.filtered, walked.error)


def facts_of(facts: FactSet, copy: RouteCopy) -> FactsOf:
    told = envelope_of(facts, copy)
    return lambda document: facts.of(document, told, copy.source)


def envelope_of(facts: FactSet, copy: RouteCopy) -> Mapping[str, Any]:
    """What the copy knows of its document and the document doesn't: also what its source gave with it."""
    told = unpack_facts(copy.message.headers)
    given = {path.arrival: told.get(path.name) for path in facts.paths if path.arrival}
    return {**given, **{name: told[name] for name in KEPT if told.get(name) is not None}}
