"""The steps of a source or a destination, taken one after the other."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub.core.errors import (
    DecodeError,
    JournalUnavailable,
    MappingError,
    MessageError,
    RejectedError,
    TransientError,
    Withheld,
)
from hub.core.record import record
from hub.core.step import AskingStep, NamedStep, Question, StepNote, Stepped, note_answers
from hub.mapping.allowance import ALLOWANCE
from hub.runtime.boundary import TOO_MUCH_MEMORY, Boundary
from hub.runtime.position import PART

if TYPE_CHECKING:
    from hub.documents import Document

MOST_ASKED = 4_000_000
"""Characters of all questions about one document."""

MOST_ANSWERED = 64_000
"""Bytes of the answers about one document with which this process goes on, where a worker can do it as well."""

FactsOf = Callable[["Document"], Mapping[str, Any]]


@record
class Walked:
    """What came of a document, or of a part of it. `said` are the steps that changed, ended or refused it, or asked
    about it.
    `filtered`: it ends here. `error`: it can't go on. `part`: its name, for each `split` that it came through. `next`
    counts the steps that it has taken."""

    document: Document
    said: tuple[StepNote, ...] = ()
    filtered: str = ""
    error: MessageError | RejectedError | None = None
    part: tuple[str, ...] = ()
    next: int = 0

    @property
    def goes_on(self) -> bool:
        return not self.filtered and self.error is None

    def asks(self, steps: Sequence[NamedStep]) -> bool:
        """Whether its next step asks somebody else."""
        return self.goes_on and self.next < len(steps) and isinstance(steps[self.next].step, AskingStep)

    @property
    def position(self) -> tuple[str, ...]:
        return tuple(f"{PART}{name}" for name in self.part)


async def walk_on(
    steps: Sequence[NamedStep], walks: Sequence[Walked], facts_of: FactsOf, released: Collection[str] = ()
) -> list[Walked]:
    """Takes them to the end of the steps. Each step sees the document that the one before it has made, and its facts.
    `released`: the holds from which a person has let it go; no step holds it by these any more. Large answers spend the
    allowance of this process. Raises TransientError and JournalUnavailable: nothing is decided then."""
    way = through(steps, walks, facts_of, released)
    found = advanced(way, None)
    while isinstance(found, Asked):
        answers = await answers_to(steps, found)
        allowance = ALLOWANCE.get()
        if allowance is not None and len(pickle.dumps(answers)) > MOST_ANSWERED:
            allowance.spent = True
            raise MappingError("the answers are too large for this process")
        found = await asyncio.to_thread(advanced, way, answers)
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What the step with the number `step` (from 0) wants to know before a document can go on."""

    step: int
    questions: Sequence[Question]


Answers = Sequence[Any] | Exception

Way = Generator[Asked, Answers | None, list[Walked]]
"""Of documents through their steps. It waits for answers, and gives all documents in the end."""


def through(
    steps: Sequence[NamedStep], walks: Sequence[Walked], facts_of: FactsOf, released: Collection[str] = ()
) -> Way:
    """Pure: whoever drives it asks."""
    found = walk_ahead(steps, walks, facts_of, released)
    while any(walked.asks(steps) for walked in found):
        after: list[Walked] = []
        for before in found:
            after.extend((yield from _asking(steps, before, facts_of, released)) if before.asks(steps) else [before])
        found = walk_ahead(steps, after, facts_of, released)
    return found


def advanced(way: Way, answers: Answers | None) -> Asked | list[Walked]:
    """What it asks next, or what has come out of it. Raises what the steps raise that decides nothing."""
    try:
        return way.send(answers)
    except StopIteration as end:
        found: list[Walked] = end.value
        return found


async def answers_to(steps: Sequence[NamedStep], asked: Asked) -> Answers:
    """The error is one that decides. Raises TransientError and JournalUnavailable."""
    named = steps[asked.step]
    step = named.step
    assert isinstance(step, AskingStep)  # noqa: S101  (Walked.asks looked)
    with Boundary() as boundary:
        return await step.ask(asked.questions)
    _raise_undecided(named, boundary.caught)
    return boundary.caught


def _asking(
    steps: Sequence[NamedStep], before: Walked, facts_of: FactsOf, released: Collection[str]
) -> Generator[Asked, Answers | None, list[Walked]]:
    named = steps[before.next]
    step, document = named.step, before.document
    assert isinstance(step, AskingStep)  # noqa: S101  (Walked.asks looked)
    facts = facts_of(document)
    with Boundary() as boundary:
        questions = _few(step.questions(document, facts))
    if boundary.error is not None:
        return _after(named, before, boundary.error, released)
    answers = (yield Asked(before.next, questions)) or ()
    asked = note_answers(questions, answers)
    if isinstance(answers, Exception):
        return _after(named, before, answers, released, asked)
    with Boundary() as boundary:
        stepped = step.answered(document, facts, answers)
    return _after(named, before, stepped if boundary.error is None else boundary.error, released, asked)


def _few(questions: Sequence[Question]) -> Sequence[Question]:
    size = sum(len(name) + len(text) for question in questions for name, text in question.items())
    if size > MOST_ASKED:
        raise MappingError(f"its questions have {size} characters together; at most {MOST_ASKED} are asked")
    return questions


def walk_ahead(
    steps: Sequence[NamedStep], walks: Sequence[Walked], facts_of: FactsOf, released: Collection[str] = ()
) -> list[Walked]:
    """Takes each as far as it comes without asking anybody. Where `asks` is true of one afterwards, its next step
    asks."""
    done: list[Walked] = []
    waiting = list(reversed(walks))
    while waiting:
        before = waiting.pop()
        if not before.goes_on or before.next == len(steps) or before.asks(steps):
            done.append(before)
        else:
            waiting.extend(reversed(_take_step(steps, before, facts_of, released)))
    return done


def _take_step(
    steps: Sequence[NamedStep], before: Walked, facts_of: FactsOf, released: Collection[str]
) -> list[Walked]:
    named = steps[before.next]
    assert not isinstance(named.step, AskingStep)  # noqa: S101  (walk_ahead looked)
    with Boundary() as boundary:
        stepped = named.step.take(before.document, facts_of(before.document))
    return _after(named, before, stepped if boundary.error is None else boundary.error, released)


def _after(
    named: NamedStep,
    before: Walked,
    stepped: Stepped | Exception,
    released: Collection[str],
    asked: tuple[Mapping[str, Any], ...] = (),
) -> list[Walked]:
    before = replace(before, next=before.next + 1)
    if isinstance(stepped, Exception):
        return [_refused(named, before, stepped, released, asked)]
    if stepped.filtered:
        note = StepNote(named.name, f"filtered out: {stepped.filtered}", asked)
        return [replace(before, said=(*before.said, note), filtered=stepped.filtered)]
    if stepped.parts:
        count = len(stepped.parts)
        return [
            replace(
                before,
                document=part.document,
                part=(*before.part, part.name),
                said=(*before.said, StepNote(named.name, f"part {part.name}, {number} of {count}", asked)),
            )
            for number, part in enumerate(stepped.parts, 1)
        ]
    if stepped.document is before.document and not stepped.said and not asked:
        return [before]
    note = StepNote(
        named.name, stepped.said or ("changed" if stepped.document is not before.document else "asked"), asked
    )
    return [replace(before, document=stepped.document, said=(*before.said, note))]


def _refused(
    named: NamedStep, before: Walked, error: Exception, released: Collection[str], asked: tuple[Mapping[str, Any], ...]
) -> Walked:
    _raise_undecided(named, error)
    if isinstance(error, RejectedError):
        if error.hold in released:
            return replace(before, said=(*before.said, StepNote(named.name, f"was released: {error.text}", asked)))
        cause: MessageError | RejectedError = RejectedError(
            f"step {named.name}: {error.text}", error.status, error.code, error.hold
        )
    elif isinstance(error, MessageError):
        cause = DecodeError(f"step {named.name}: {error}")
    else:
        said = TOO_MUCH_MEMORY if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"
        cause = DecodeError(f"step {named.name} failed: {said}")
    return replace(before, said=(*before.said, StepNote(named.name, "refused", asked)), error=cause)


def _raise_undecided(named: NamedStep, error: Exception) -> None:
    """Raises the errors that say nothing of the document."""
    if isinstance(error, Withheld):
        text, left = f"step {named.name}: {error.text}", error.retry_after or 0.0
        raise Withheld(text, error.endpoint, left, watched=error.watched) from error
    if isinstance(error, TransientError):
        raise TransientError(f"step {named.name}: {error.text}", error.kind, error.retry_after) from error
    if isinstance(error, JournalUnavailable):
        raise error
