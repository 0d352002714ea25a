"""What may happen to a document between its reader and the routes, and between a route and the writer of a destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from hub.documents.base import Document


@dataclass(frozen=True, slots=True)
class Part:
    """A document that goes on by itself. `name` tells it from the other parts, and is the same each time the same thing is split: a few
    letters, digits, `_` and `-`."""

    name: str
    document: Document


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step made of a document: the document that goes on, the same one where nothing was to change. `filtered` is why it
    doesn't go on: it ends here, as the site wants it. `parts`: what goes on in its place. `said`: what a
    person should read of it in the journal, where "changed" says too little."""

    document: Document
    filtered: str = ""
    parts: tuple[Part, ...] = ()
    said: str = ""


class Step(Protocol):
    """One step. Pure: the same document and facts give the same result, however often it is asked. Raises MessageError for a document
    that can't go on: it goes to the dead letters with that cause; at a destination also RejectedError with a hold."""

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped: ...


@runtime_checkable
class AskingStep(Protocol):
    """A step that asks somebody else, and whose result may differ when it is asked again. Raises what a Step raises, RejectedError for
    a definite no, and TransientError: the document is offered again."""

    async def ask_about(self, document: Document, facts: Mapping[str, Any]) -> Stepped: ...


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step as the site calls it."""

    name: str
    step: Step | AskingStep
