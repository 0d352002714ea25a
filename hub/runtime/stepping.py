"""What a destination's steps make of a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hub.core.errors import MappingError
from hub.core.facts import ENVELOPE
from hub.core.step import NamedStep
from hub.documents import from_json
from hub.runtime.copy import RouteCopy, unpack_facts
from hub.runtime.live import Snapshot
from hub.runtime.steps import Walked, walk

KEPT = (*ENVELOPE, "partner", "test", "direction", "part")
"""Facts that no document carries: the copy does."""


async def stepped(
    steps: Sequence[NamedStep], snapshot: Snapshot, copy: RouteCopy, body: bytes, *, released: Collection[str]
) -> Walked:
    """Of the canonical form `body`. Raises DecodeError for what is no document, TransientError and JournalUnavailable."""
    told = envelope_of(snapshot, copy)
    walks = await walk(
        steps, from_json(body), lambda document: snapshot.facts.of(document, told, copy.source), released
    )
    if len(walks) != 1:
        raise MappingError("a step has made several documents of it: `split` belongs to a source")
    return walks[0]


def envelope_of(snapshot: Snapshot, copy: RouteCopy) -> Mapping[str, Any]:
    """What the copy knows of its document and the document doesn't: also what its source gave with it."""
    told = unpack_facts(copy.message.headers)
    given = {path.arrival: told.get(path.name) for path in snapshot.facts.paths if path.arrival}
    return {**given, **{name: told[name] for name in KEPT if told.get(name) is not None}}
