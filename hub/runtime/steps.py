"""The steps of a source or a destination, taken one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub.core.errors import DecodeError, JournalUnavailable, MessageError, RejectedError, TransientError
from hub.core.step import AskingStep, NamedStep, Stepped
from hub.runtime.guard import outcome_of

if TYPE_CHECKING:
    from hub.documents import Document

PART = "part-"
"""How the position of a part begins that `split` has made: `1.1.3.part-EA`."""

FactsOf = Callable[["Document"], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of a document, or of a part of it. `said` are the steps that changed, ended or refused it: name, and what it did.
    `filtered`: it ends here. `error`: it can't go on. `part`: its name, for each `split` that it came through."""

    document: Document
    said: tuple[tuple[str, str], ...] = ()
    filtered: str = ""
    error: MessageError | RejectedError | None = None
    part: tuple[str, ...] = ()

    @property
    def goes_on(self) -> bool:
        return not self.filtered and self.error is None

    @property
    def position(self) -> tuple[str, ...]:
        return tuple(f"{PART}{name}" for name in self.part)


async def walk(
    steps: Sequence[NamedStep], document: Document, facts_of: FactsOf, released: Collection[str] = ()
) -> list[Walked]:
    """Each step sees the document that the one before it has made, and its facts. `released`: the holds from which a person has let it
    go; no step holds it by these any more. Raises TransientError and JournalUnavailable: nothing is decided then."""
    walks = [Walked(document)]
    for named in steps:
        walks = [after for before in walks for after in await _next(named, before, facts_of, released)]
    return walks


async def _next(named: NamedStep, before: Walked, facts_of: FactsOf, released: Collection[str]) -> list[Walked]:
    if not before.goes_on:
        return [before]

    async def take() -> Stepped:
        facts = facts_of(before.document)
        if isinstance(named.step, AskingStep):
            return await named.step.ask_about(before.document, facts)
        return named.step.take(before.document, facts)

    stepped = await outcome_of(take)
    if isinstance(stepped, Exception):
        return [_refused(named, before, stepped, released)]
    if stepped.filtered:
        said = (named.name, f"filtered out: {stepped.filtered}")
        return [replace(before, said=(*before.said, said), filtered=stepped.filtered)]
    if stepped.parts:
        count = len(stepped.parts)
        return [
            replace(
                before,
                document=part.document,
                part=(*before.part, part.name),
                said=(*before.said, (named.name, f"part {part.name}, {number} of {count}")),
            )
            for number, part in enumerate(stepped.parts, 1)
        ]
    if stepped.document is before.document and not stepped.said:
        return [before]
    said = (named.name, stepped.said or "changed")
    return [replace(before, document=stepped.document, said=(*before.said, said))]


def _refused(named: NamedStep, before: Walked, error: Exception, released: Collection[str]) -> Walked:
    if isinstance(error, TransientError):
        raise TransientError(f"step {named.name}: {error.text}", error.kind, error.retry_after) from error
    if isinstance(error, JournalUnavailable):
        raise error
    if isinstance(error, RejectedError):
        if error.hold in released:
            return replace(before, said=(*before.said, (named.name, f"was released: {error.text}")))
        cause: MessageError | RejectedError = RejectedError(
            f"step {named.name}: {error.text}", error.status, error.code, error.hold
        )
    elif isinstance(error, MessageError):
        cause = DecodeError(f"step {named.name}: {error}")
    else:
        cause = DecodeError(f"step {named.name} failed: {type(error).__name__}: {error}")
    return replace(before, said=(*before.said, (named.name, "refused")), error=cause)


def joined(position: Sequence[str]) -> str:
    """A position as the journal writes it: `1.1.3`."""
    return ".".join(position)


def without_parts(position: str) -> str:
    """Where in the bytes it stands: the position without the parts that `split` has made."""
    return joined([place for place in position.split(".") if not place.startswith(PART)])


def wanted(only: str | None, position: str, part: bool) -> bool:
    """Whether what stands at `position` is to be taken when only one place is. `part`: it isn't known yet which parts it has."""
    return only is None or only == position or (part and only.startswith(f"{position}.{PART}" if position else PART))
