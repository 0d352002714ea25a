"""A copy's document as the bytes that one destination gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from hub.core.errors import MappingError
from hub.core.identity import idempotency_key
from hub.core.message import JSON
from hub.core.ports import BatchingWriter, WriteContext, Writer, Written
from hub.documents import ACKNOWLEDGMENTS, Batch, Document, batch_from_json, batch_to_json, from_json, to_json
from hub.runtime.copy import RouteCopy

if TYPE_CHECKING:
    from hub.runtime.runtime import OpenDestination

TRIAL = 1
"""The control number under which a document that waits for a batch is written, to see whether it can be: nothing
leaves."""


class DestinationForm(Protocol):
    """What of a destination its bytes depend on. `gathers`: by facts, in messages of the site's making. `sequence`:
    whose control numbers its writer needs, None: it needs none."""

    @property
    def name(self) -> str: ...
    @property
    def writer(self) -> Writer | None: ...
    @property
    def gathers(self) -> bool: ...
    @property
    def sequence(self) -> str | None: ...


def render(
    copy: RouteCopy,
    destination: DestinationForm,
    body: bytes,
    now: float,
    key: str = "",
    number: int | None = None,
    *,
    trial: bool = False,
) -> Written:
    """What the destination's writer makes of the canonical form `body`. `number` is the control number, where the
    writer needs one.
    `trial`: to see whether it can be written; nothing of it leaves. Raises MappingError, and DecodeError for a body
    that is no document."""
    writer = destination.writer
    if copy.is_batch and not destination.gathers and not isinstance(writer, BatchingWriter):
        raise MappingError(f"{destination.name} has no writer any more that takes a batch")
    if writer is None:
        gathered = destination.gathers and not copy.is_batch
        return Written(alone_json(_document(copy, destination, body)) if gathered else body, JSON)
    if trial:
        number = TRIAL
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
    written = writer.write(_document(copy, destination, body), context)
    if number is not None:
        return replace(written, facts={"control_number": str(number), **written.facts})
    return written


def alone_json(document: Document) -> bytes:
    return batch_to_json(document) if isinstance(document, Batch) else to_json(document)


def _document(copy: RouteCopy, destination: DestinationForm, body: bytes) -> Document:
    """What the writer is given: where documents are gathered always a batch, though it be of one."""
    if copy.is_batch:
        return batch_from_json(body)
    document = from_json(body)
    alone = destination.gathers and document.kind not in ACKNOWLEDGMENTS
    if not alone:
        return document
    number = copy.document_id[:12]
    return Batch.model_validate({"number": number, "partner": document.partner, "documents": (document,)})


def waits_for_others(copy: RouteCopy, destination: OpenDestination) -> bool:
    """Whether the document is to go there with others, in a batch. Acknowledgments wait for nobody, nor
    does what was in a batch that a person has dissolved."""
    kind = copy.document.partition("@")[0]
    return destination.batch is not None and not copy.is_batch and not copy.alone and kind not in ACKNOWLEDGMENTS
