"""What may happen to a document between its reader and the routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hub.documents.base import Document


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step made of a document: the document that goes on, the same one where nothing was to change. `filtered` is why it
    doesn't go on: it ends here, as the site wants it."""

    document: Document
    filtered: str = ""


class Step(Protocol):
    """One step. Pure: the same document and facts give the same result, however often it is asked. Raises MessageError for a document
    that can't go on: it goes to the dead letters with that cause."""

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped: ...


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step as the site calls it."""

    name: str
    step: Step
