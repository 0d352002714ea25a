"""What may happen to a document between its reader and the routes, and between a route and the writer of a
destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from hub.core.typed_json import plain_value, plain_values

if TYPE_CHECKING:
    from hub.documents.base import Document


@dataclass(frozen=True, slots=True)
class SplitPart:
    """A document that goes on by itself. `name` tells it from the other parts, and is the same each time the same thing
    is split: a few letters, digits, `_` and `-`."""

    name: str
    document: Document


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step made of a document: the document that goes on, the same one where nothing was to change. `filtered`
    is why it doesn't go on: it ends here, as the site wants it. `parts`: what goes on in its place. `said`: what a
    person should read of it in the journal, where "changed" says too little."""

    document: Document
    filtered: str = ""
    parts: tuple[SplitPart, ...] = ()
    said: str = ""


class Step(Protocol):
    """One step. Pure: the same document and facts give the same result, however often it is asked. Raises MessageError
    for a document that can't go on: it goes to the dead letters with that cause; at a destination also RejectedError
    with a hold."""

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped: ...


Question = Mapping[str, str]
"""What one question asks for: texts by name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question was answered: values by field; with `known` false the far end knows nothing. `at` is when it was
    said (seconds of the hub's clock), `age` how many seconds ago that was when it was asked for, and `cached` whether
    it was said to an earlier question. `size` is that of the values, in bytes."""

    values: Mapping[str, Any]
    at: float = 0.0
    size: int = 0
    age: float = 0.0
    known: bool = True
    cached: bool = False


class StepNote(NamedTuple):
    """What a person should read of a step in the journal. `asked`: its questions, and what was answered, as plain JSON
    (`hub.core.typed_json`): `question`, and `answer`, `at` and `cached`, or `error`. Without `answer` nothing is
    known."""

    step: str
    text: str
    asked: tuple[Mapping[str, Any], ...] = ()


def note_answers(questions: Sequence[Question], answers: Sequence[Any] | Exception) -> tuple[Mapping[str, Any], ...]:
    """For a StepNote. What a step answers with beside `Answer` is kept as it is."""
    if isinstance(answers, Exception):
        return tuple({"question": dict(question), "error": str(answers)} for question in questions)
    return tuple(
        {"question": dict(question), **_noted(answer)} for question, answer in zip(questions, answers, strict=False)
    )


def _noted(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Answer):
        return {} if answer is None else {"answer": plain_value(answer)}
    said = {"answer": plain_values(answer.values)} if answer.known else {}
    return {**said, "at": answer.at, "cached": answer.cached}


@runtime_checkable
class AskingStep(Protocol):
    """A step that asks somebody else, and whose result may differ when it is asked again. Only `ask` runs where the
    endpoints are. It sees no document: a large one stays in a worker process meanwhile, where `context.endpoint` gives
    None.

    `questions` and `answered` are pure, and raise what a Step raises. `answered` gets what `ask` has returned for the
    questions of the same document: values that can be pickled, one for each question, best as `Answer`: the journal
    keeps them. `ask` raises MessageError and RejectedError for a definite no, and TransientError: the document is
    offered again."""

    def questions(self, document: Document, facts: Mapping[str, Any]) -> Sequence[Question]: ...

    async def ask(self, questions: Sequence[Question]) -> Sequence[Any]: ...

    def answered(self, document: Document, facts: Mapping[str, Any], answers: Sequence[Any]) -> Stepped: ...


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step as the site calls it."""

    name: str
    step: Step | AskingStep
