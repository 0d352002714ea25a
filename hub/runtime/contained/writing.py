"""Writing in worker processes, and the steps before it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.core.errors import DecodeError, MappingError, Poison, TransientError
from hub.core.ports import Written
from hub.runtime.contained.asking import Ask, asking, error_again
from hub.runtime.contained.frame import Garbled, Result, carried_facts, notes_again
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.work import StepDocument, Work, WriteDocument
from hub.runtime.contained.worker import WorkerLost, WorkFailed
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.destination_steps import SteppedBody

if TYPE_CHECKING:
    from hub.runtime.runtime import OpenDestination, Runtime


class ContainedWriting:
    """Has documents written, and changed by the steps of a destination, by workers. A document over which workers were
    lost as often as `containment.quarantine_after` says is poison."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def write(
        self,
        recipe: Recipe,
        copy: RouteCopy,
        destination: str,
        body: bytes,
        now: float,
        key: str,
        number: int | None,
        trial: bool,
    ) -> Written:
        """As `hub.runtime.delivery.rendering.render`. Raises MappingError, DecodeError, Poison and TransientError."""
        work = WriteDocument(without_body(copy), destination, body, now, key, number, trial)
        result = await self._result(recipe, destination, work, len(body))
        try:
            written = result.head["written"]
            return Written(
                result.body,
                str(written["content_type"]),
                carried_facts(written["facts"]),
                None if written["expect_ack"] is None else float(written["expect_ack"]),
                tuple(map(str, written["warnings"])),
            )
        except (KeyError, TypeError, ValueError, Garbled) as error:
            raise MappingError(f"the worker has given no bytes: {type(error).__name__}: {error}") from None

    async def step(
        self,
        recipe: Recipe,
        copy: RouteCopy,
        destination: OpenDestination,
        body: bytes,
        released: Collection[str],
    ) -> SteppedBody:
        """As `hub.runtime.delivery.destination_steps.stepped`; the questions of steps are asked here."""
        work = StepDocument(without_body(copy), destination.name, body, tuple(released))
        result = await self._result(recipe, destination.name, work, len(body), asking(destination.steps))
        try:
            head = result.head
            said = notes_again(head["said"])
            return SteppedBody(result.body, said, str(head["ends"]), error_again(head["error"]))
        except (KeyError, TypeError, ValueError) as error:
            raise MappingError(f"the worker has given no document: {type(error).__name__}: {error}") from None

    async def _result(self, recipe: Recipe, destination: str, work: Work, size: int, ask: Ask | None = None) -> Result:
        """The only one."""
        tries, cause = self._runtime.pool.limits.quarantine_after, ""
        for _ in range(tries):
            try:
                async with aclosing(self._runtime.pool.results(destination, recipe, work, size, ask)) as results:
                    async for result in results:
                        last = result
                return last
            except WorkFailed as error:
                raise as_it_was(error) from None
            except WorkerLost as error:
                cause = str(error)
        raise Poison(f"writing it {cause}, {tries} times (containment in config/hub.yaml sets the bounds)")


def as_it_was(error: WorkFailed) -> Exception:
    """The error that the worker has met."""
    if error.error in ("TransientError", "ConfigError", "OSError", "FileNotFoundError"):
        return TransientError(str(error), "failed")
    if error.error == "DecodeError":
        return DecodeError(str(error))
    return MappingError(str(error) if error.error == "MappingError" else f"{error.error}: {error}")


def without_body(copy: RouteCopy) -> RouteCopy:
    """As it can be pickled; the document goes beside it."""
    message = replace(copy.message, body=b"", headers=dict(copy.message.headers), properties={})
    return replace(copy, message=message)
