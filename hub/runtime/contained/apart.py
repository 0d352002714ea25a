"""Pure work of adapters, in worker processes where the bytes are many."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from hub.core.apart import Piece, PureWork, apart_here
from hub.core.errors import DecodeError
from hub.runtime.contained.bench import Bench
from hub.runtime.contained.frame import Result
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.contained.worker import WorkerLost, WorkFailed


@dataclass(frozen=True, slots=True)
class DoApart:
    """A function, found by its module and name, with its arguments."""

    work: PureWork
    arguments: tuple[Any, ...]

    def run(self, bench: Bench | None) -> Generator[Result, Any]:
        for head, body in self.work(*self.arguments):
            yield Result({"piece": head}, body)


class ContainedApart:
    """See `hub.core.apart.Apart`."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    async def do(self, owner: str, size: int, work: PureWork, *arguments: Any) -> list[Piece]:
        limits, cause = self._pool.limits, ""
        if size <= limits.in_process_up_to:
            return await apart_here(owner, size, work, *arguments)
        for _ in range(limits.quarantine_after):
            try:
                async with aclosing(self._pool.results(owner, None, DoApart(work, arguments), size)) as results:
                    return [(dict(result.head["piece"]), result.body) async for result in results]
            except WorkFailed as error:
                said = str(error) if error.error == "DecodeError" else f"it can't be read: {error.error}: {error}"
                raise DecodeError(said) from None
            except (WorkerLost, KeyError, TypeError, ValueError) as error:
                cause = str(error)
        raise DecodeError(
            f"reading it {cause}, {limits.quarantine_after} times (containment in config/hub.yaml sets the bounds)"
        )
