"""A copy's document as the bytes that one destination gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hub.core.errors import MappingError
from hub.core.identity import idempotency_key
from hub.core.message import JSON
from hub.core.ports import BatchingWriter, WriteContext, Written
from hub.documents import batch_from_json, from_json
from hub.runtime.acknowledgments import KINDS
from hub.runtime.copy import RouteCopy
from hub.runtime.live import OpenDestination

TRIAL = 1
"""The control number under which a document that waits for a batch is written, to see whether it can be: nothing leaves."""


def render(
    copy: RouteCopy, destination: OpenDestination, body: bytes, now: float, key: str = "", number: int | None = None
) -> Written:
    """What the destination's writer makes of the canonical form `body`. `number` is the control number, where the writer needs one.
    Raises MappingError, and DecodeError for a body that is no document."""
    writer = destination.writer
    if copy.is_batch and not isinstance(writer, BatchingWriter):
        raise MappingError(f"{destination.name} has no writer any more that takes a batch")
    if writer is None:
        return Written(body, JSON)
    if destination.sequence is not None and number is None:
        raise MappingError(f"the control numbers of {destination.sequence} are used up")
    context = WriteContext(
        copy.document_id,
        destination.name,
        key or idempotency_key(copy.document_id, destination.name),
        datetime.fromtimestamp(now, UTC),
        copy.facts(),
        number,
    )
    written = writer.write(batch_from_json(body) if copy.is_batch else from_json(body), context)
    if number is not None:
        return replace(written, facts={"control_number": str(number), **written.facts})
    return written


def waits_for_others(copy: RouteCopy, destination: OpenDestination) -> bool:
    """Whether the document is to go there with others, in a batch. Acknowledgments wait for nobody, nor
    does what was in a batch that a person has dissolved."""
    kind = copy.document.partition("@")[0]
    return destination.batch is not None and not copy.is_batch and not copy.alone and kind not in KINDS
