"""What the journal keeps of a step: what it did, what it asked, and what it was answered."""

from __future__ import annotations

from typing import Any, NamedTuple

from hub.core.identity import digest
from hub.core.step import StepNote
from hub.core.typed_json import dumped
from hub.journal.deliveries.answers_recorded import ASKED

LONGEST_ASKED = 4000
"""Bytes of questions and answers that stand in an event. More are kept as a claim."""


class RecordedNote(NamedTuple):
    """The text and the detail of the event, and the body of the claim that the detail names."""

    text: str
    detail: dict[str, Any]
    body: bytes | None = None


def record_note(note: StepNote) -> RecordedNote:
    text, detail = f"{note.step}: {note.text}", {"step": note.step}
    if not note.asked:
        return RecordedNote(text, detail)
    packed = dumped(list(note.asked))
    if len(packed) <= LONGEST_ASKED:
        return RecordedNote(text, {**detail, ASKED: list(note.asked)})
    return RecordedNote(text, {**detail, ASKED: digest(packed)}, packed)
