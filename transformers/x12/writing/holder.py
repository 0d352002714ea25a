"""The part that is being written, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.documents.base import Part
from transformers.x12.declarations.declaration import Loop, SegmentUse


@dataclass(frozen=True, slots=True)
class Holder:
    """The part whose fields are written, its path for people, its place among the loops (`PO1[3]`; nothing where the
    document has no extras), the place that is written now (a loop in it that makes no part), all the structure in which
    its fields have places, and which of its fields have a value."""

    part: Part
    path: str
    place: str
    within: str
    structure: Sequence[SegmentUse | Loop]
    present: frozenset[str]
