"""What is wrong with segments on their way out, said of the document that they were made from."""

from __future__ import annotations

from collections.abc import Sequence

from hub.documents import Document, document_name
from transformers.x12.declarations.declaration import Loop, SegmentUse, SetDeclaration
from transformers.x12.finding import SegmentFinding
from transformers.x12.writing.written_segment import WrittenSegment


def refusal(
    document: Document,
    declaration: SetDeclaration,
    segments: Sequence[WrittenSegment],
    findings: Sequence[SegmentFinding],
    other: str,
) -> str:
    """Why a document can't be sent, said of its field: from what is wrong with the segments made of it (`other`: the
    reason where nothing is)."""
    if not findings:
        return other
    first = findings[0]
    more = f"; {len(findings) - 1} more" if len(findings) > 1 else ""
    segment = segments[first.position - 2] if 2 <= first.position < len(segments) + 2 else None
    field: str | None = None
    if first.code == "3" and first.element is None:
        field = _field_of(declaration.structure, first.segment) or "extras"
    elif segment is not None and first.segment == segment.id:
        field = segment.field(first.element or 0)
    place = f"{field}: " if field else f"{document_name(document)}: "
    return f"{place}{first.text} ({first.where}){more}"


def _field_of(structure: Sequence[SegmentUse | Loop], segment: str) -> str | None:
    """The field of the document that would give a mandatory segment which isn't there."""
    for entry in structure:
        if isinstance(entry, Loop):
            inner = _field_of(entry.structure, segment)
            if inner or entry.id == segment:
                return entry.to or inner
        elif entry.segment.id == segment and entry.mandatory:
            targets = entry.mapping.put.values() if entry.mapping else ()
            return entry.to or next((target.field for target in targets), None)
    return None
