"""A worker process, as the hub holds it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator

from hub.core.clock import Clock
from hub.core.errors import HubError, TransientError
from hub.core.options.containment import Containment
from hub.runtime.boundary import Boundary
from hub.runtime.contained.asking import QUESTIONS, Answered, Ask
from hub.runtime.contained.child import KEPT, Do, Learn, SetUp
from hub.runtime.contained.frame import Garbled, Result, packed_order, receive_result
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.work import Work

PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""Variables that a worker sees. Secrets are in none of them."""

START_SECONDS = 60.0


class WorkerLost(HubError):
    """A worker ended, or was ended, during a piece of work; says why, for people."""


class WorkFailed(HubError):
    """A piece of work raised an error in its worker. `error` is its class."""

    def __init__(self, error: str, text: str) -> None:
        self.error = error
        super().__init__(text)


class Worker:
    """Does one piece of work at a time."""

    def __init__(self, limits: Containment, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None
        self._known: list[str] = []
        self.fit = False
        """Whether it may be given another piece of work."""

    async def start(self) -> None:
        """Returns at once; the worker gets ready meanwhile. Raises OSError where no process can be made."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [
                sys.executable,
                "-P",
                "-m",
                "hub.runtime.contained",
                str(theirs.fileno()),
                str(os.getpid()),
            ]
            try:
                self._process = subprocess.Popen(  # noqa: ASYNC220, S603  (milliseconds; and the hub's own program)
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    env=environ(),
                )
            except OSError:
                ours.close()
                raise
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._writer.write(packed_order(SetUp(self._limits.memory)))
        self.fit = True

    @property
    def process_id(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def results(
        self, recipe: Recipe | None, work: Work, size: int, ask: Ask | None = None
    ) -> AsyncGenerator[Result]:
        """The results, in their order; the worker waits while they aren't taken. `ask` answers its questions. Raises
        WorkerLost, WorkFailed, and what `ask` raises. `size` is that of the body."""
        self.fit = False
        if recipe is not None:
            await self._learn(recipe)
        processor, patience = self._limits.processor(size), self._limits.wall(size)
        unanswered: Exception | None = None
        await self._order(Do(recipe.id if recipe is not None else None, work, processor))
        while True:
            asked = self._clock.monotonic()
            try:
                result = await self._receive(patience)
            except TimeoutError:
                await self.end()
                raise WorkerLost(f"took more than {self._limits.wall(size):.3g} seconds and was ended") from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise WorkerLost(await self._why(processor)) from None
            except Garbled as error:
                await self.end()
                raise WorkerLost(f"broke its worker: {error}") from None
            patience -= self._clock.monotonic() - asked
            if "fit" in result.head:
                self.fit = bool(result.head["fit"])
                if unanswered is not None:
                    raise unanswered
                if "failed" in result.head:
                    raise WorkFailed(str(result.head.get("error")), str(result.head["failed"]))
                return
            if QUESTIONS not in result.head or ask is None:
                yield result
                continue
            with Boundary() as boundary:
                answered = await ask(result.head)
            if isinstance(boundary.error, Garbled):
                await self.end()
                raise WorkerLost(f"broke its worker: {boundary.error}")
            if boundary.error is not None:
                unanswered, answered = boundary.error, Answered(gives_up=True)
            await self._order(answered)

    async def _learn(self, recipe: Recipe) -> None:
        """Raises TransientError where the worker can't begin: no arrival is to blame for that."""
        if recipe.id in self._known:
            return
        await self._order(Learn(recipe.id, recipe.pickled))
        try:
            await self._receive(START_SECONDS)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, Garbled) as error:
            await self.end()
            raise TransientError(f"a worker process could not begin: {type(error).__name__} {error}", "busy") from error
        self._known = [*self._known, recipe.id][-KEPT:]

    async def _receive(self, patience: float) -> Result:
        assert self._reader is not None  # noqa: S101  (started)
        async with self._clock.timeout(max(0.0, patience)):
            return await receive_result(self._reader)

    async def _order(self, order: Do | Learn | Answered) -> None:
        assert self._writer is not None  # noqa: S101  (started)
        self._writer.write(packed_order(order))
        try:
            await self._writer.drain()
        except ConnectionError:
            return  # the next look at its results says why

    async def _why(self, processor: float) -> str:
        """How it has ended."""
        code = await self._ended()
        if code == -signal.SIGXCPU:
            return f"used more than {processor:.3g} seconds of processor time and was ended"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended its worker with status {code}"

    async def _ended(self) -> int:
        assert self._process is not None  # noqa: S101  (started)
        if self._writer is not None:
            self._writer.close()
        for pause in (0.0, 0.01, 0.05, 0.2, 1.0):
            await self._clock.sleep(pause)
            if (code := self._process.poll()) is not None:
                return code
        self._process.kill()
        return await asyncio.to_thread(self._process.wait)

    async def end(self) -> None:
        """At once. Harmless when it has ended, or never began."""
        self.fit = False
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # and what it has started
        await self._ended()


def environ() -> dict[str, str]:
    """A worker's: it finds the same modules, and no secret."""
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("LC_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
