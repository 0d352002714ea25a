"""The questions of steps, when their document is in a worker: the worker says what it wants to know, the hub asks, the
worker goes on.

The document stays where it is. Only the questions and the answers travel.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.core.errors import DecodeError, MessageError, RejectedError
from hub.core.step import NamedStep
from hub.runtime.contained.frame import Garbled, Result
from hub.runtime.steps.walk import Answers, Asked, Walked, Way, advanced, answers_to

QUESTIONS = "questions"
"""The key of a result's head that asks the hub."""

Ask = Callable[[Mapping[str, Any]], Awaitable["Answered"]]
"""What the hub does with the head of such a result. Raises TransientError and JournalUnavailable."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub sends back: answers, or why there are none (`error`, which decides what becomes of the document).
    `gives_up`: the work ends, because nothing can be decided now."""

    found: Sequence[Any] | None = None
    error: Mapping[str, Any] | None = None
    gives_up: bool = False

    @property
    def answers(self) -> Answers:
        return error_again(self.error) or () if self.error is not None else self.found or ()


class GivenUp(Exception):
    """The hub can get no answers now."""


def asked_of_hub(way: Way) -> Generator[Result, Any, list[Walked]]:
    """In a worker: all documents that come out of the way, whose questions are results."""
    found = advanced(way, None)
    while isinstance(found, Asked):
        answered = yield Result({QUESTIONS: [dict(question) for question in found.questions], "step": found.step})
        found = advanced(way, answered.answers)
    return found


def asking(steps: Sequence[NamedStep]) -> Ask:
    """In the hub: asks for a worker whose document goes through these steps."""

    async def ask(head: Mapping[str, Any]) -> Answered:
        try:
            questions = [{str(name): str(text) for name, text in question.items()} for question in head[QUESTIONS]]
            asked = Asked(range(len(steps))[int(head["step"])], questions)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise Garbled(f"its question is none: {type(error).__name__}: {error}") from None
        answers = await answers_to(steps, asked)
        return Answered(error=plain_error(answers)) if isinstance(answers, Exception) else Answered(answers)

    return ask


def plain_error(error: Exception) -> dict[str, Any]:
    if isinstance(error, RejectedError):
        return {"text": error.text, "status": error.status, "code": error.code, "hold": error.hold}
    return {"text": str(error) if isinstance(error, MessageError) else f"{type(error).__name__}: {error}"}


def error_again(head: Any) -> RejectedError | DecodeError | None:
    if head is None:
        return None
    if "hold" not in head:
        return DecodeError(str(head["text"]))
    return RejectedError(str(head["text"]), head["status"], str(head["code"]), head["hold"])
