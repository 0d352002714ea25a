"""The files of a folder that a source works on, each when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from adapters.inbox.file_names import printable, show_name
from adapters.inbox.pauses import Pauses
from hub.core.clock import Clock
from hub.core.errors import HubError
from hub.core.log import Log

AT_ONCE = 8
"""Files of one folder that are in work at once."""

SOON, SELDOM = 5.0, 60.0
"""The longest pauses (seconds) before a file is tried again: while the journal or the broker is away; for all else."""


class NamedFile(Protocol):
    @property
    def name(self) -> str: ...


File = TypeVar("File", bound=NamedFile)


@dataclass(frozen=True, slots=True)
class Failure:
    """How long at most (seconds) a file waits until it is tried again, and the event that tells of it."""

    longest_pause: float
    event: str = "file_not_taken"


class DueFiles:
    """A file that fails waits alone, ever longer; the others go on. `first_pause`: seconds."""

    def __init__(self, source: str, first_pause: float, clock: Clock, log: Log) -> None:
        self._source = source
        self._pauses = Pauses(first_pause, clock.monotonic)
        self._log = log

    def is_due(self, name: str) -> bool:
        return self._pauses.due(name)

    def end_pauses(self, name: str) -> None:
        """The file has been worked on."""
        self._pauses.end(name)

    def keep(self, names: Collection[str]) -> None:
        """Forgets the pauses of all other files."""
        self._pauses.keep(names)

    async def offer(
        self,
        files: Iterable[File],
        work_on: Callable[[File], Awaitable[None]],
        judge: Callable[[File, Exception], Failure | None],
        at_once: int = AT_ONCE,
    ) -> None:
        """Works on the files that are due, side by side. `judge` says what an error means: None where there is nothing
        to tell."""

        async def offer_one(file: File) -> None:
            async with free:
                try:
                    await work_on(file)
                except Exception as error:  # noqa: BLE001
                    # An error that left this task would cancel the neighbors: this file waits, and the others go on.
                    if (failure := judge(file, error)) is not None:
                        self.postpone(file.name, error, failure)

        free = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            for file in files:
                if self.is_due(file.name):
                    group.create_task(offer_one(file))

    def postpone(self, name: str, error: Exception, failure: Failure, known_as: str = "") -> float:
        """Begins the file's next pause, tells of it, and says how many seconds it is. `known_as`: the name that its
        partner gave it, where that is another one."""
        pause = self._pauses.longer(name, failure.longest_pause)
        text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
        self._log.warning(
            failure.event, source=self._source, file=show_name(known_as or name), error=printable(text), again_in=pause
        )
        return pause
