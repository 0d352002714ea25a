"""What may happen to a document between its reader and the routes, and between a route and the writer of a destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


Question = Mapping[str, str]
"""What one question asks for: texts by name."""


@runtime_checkable
class AskingStep(Protocol):
    """A step that asks somebody else, and whose result may differ when it is asked again. Only `ask` runs where the endpoints are.
    It sees no document: a large one stays in a worker process meanwhile, where `context.endpoint` gives None.

    `questions` and `answered` are pure, and raise what a Step raises. `answered` gets what `ask` has returned for the questions of the
    same document: values that can be pickled. `ask` raises MessageError and RejectedError for a definite no, and TransientError: the
    document is offered again."""

    def questions(self, document: Document, facts: Mapping[str, Any]) -> Sequence[Question]: ...

    async def ask(self, questions: Sequence[Question]) -> Sequence[Any]: ...

    def answered(self, document: Document, facts: Mapping[str, Any], answers: Sequence[Any]) -> Stepped: ...


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step as the site calls it."""

    name: str
    step: Step | AskingStep
