"""The pool of worker processes."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from hub.core.clock import Clock, Timer
from hub.core.errors import TransientError, Withheld
from hub.core.options.containment import Containment
from hub.runtime.contained.asking import Answered, Ask
from hub.runtime.contained.frame import Result
from hub.runtime.contained.recipe import Recipe
from hub.runtime.contained.work import Work
from hub.runtime.contained.worker import Worker, WorkerLost

FEWEST = 4
"""Workers that the hub has also on a small machine: one that spins must not keep the others waiting."""

IDLE_SECONDS = 60.0
"""After so long without work all workers but one end."""


class WorkerPool:
    """At most `workers` processes at work, at most `per_source` for one owner (a source or a destination): the others
    go on. A worker is started when it is first needed, and serves again after its work."""

    def __init__(self, limits: Containment, log: Any, clock: Clock) -> None:
        self.limits = limits
        self._log = log
        self._clock = clock
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._places = limits.workers or max(FEWEST, len(os.sched_getaffinity(0)))
        self._share = limits.per_source or max(1, self._places // 2)
        self._taken: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._closed = False
        self._dismissal: Timer | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def results(
        self, owner: str, recipe: Recipe | None, work: Work, size: int, ask: Ask | None = None
    ) -> AsyncGenerator[Result]:
        """The results of a piece of work on a body of `size` bytes. `recipe` None: the work needs none. `ask` answers
        the questions of steps; while it does, somebody else may have the place. Raises WorkerLost, WorkFailed,
        TransientError when the hub stops, and what `ask` raises. Leaving it early ends the worker."""
        await self._place(owner)
        worker = None
        try:
            worker = await self._worker()
            async with aclosing(worker.results(recipe, work, size, self._aside(ask))) as results:
                async for result in results:
                    yield result
        except WorkerLost as error:
            if self._closed:  # we have ended it
                raise TransientError("the hub stops", "busy") from error
            self._log.warning("worker_lost", owner=owner, work=type(work).__name__, cause=str(error))
            raise
        finally:
            self._give_back(owner, worker)

    async def close(self) -> None:
        """Ends all workers."""
        self._closed = True
        if self._dismissal is not None:
            self._dismissal.cancel()
        for _, waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(TransientError("the hub stops", "busy"))
        for worker in (*self._idle, *self._busy):
            await worker.end()
        if self._ending:
            await asyncio.wait(self._ending)

    @property
    def process_ids(self) -> list[int]:
        return [worker.process_id for worker in (*self._idle, *self._busy)]

    def _aside(self, ask: Ask | None) -> Ask | None:
        """The same, with the place free meanwhile: a slow far end keeps its own asker waiting, nobody else."""
        if ask is None:
            return None

        async def aside(head: Mapping[str, Any]) -> Answered:
            self._places += 1
            self._call_next()
            try:
                return await ask(head)
            finally:
                self._places -= 1

        return aside

    async def _place(self, owner: str) -> None:
        if self._closed:
            raise TransientError("the hub stops", "busy")
        if self._places > 0 and self._taken[owner] < self._share:
            self._take(owner)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((owner, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave(owner)
            raise

    def _take(self, owner: str) -> None:
        self._places -= 1
        self._taken[owner] += 1

    def _leave(self, owner: str) -> None:
        self._places += 1
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        self._call_next()

    def _call_next(self) -> None:
        """In their order; those whose owner has its share wait on."""
        still: deque[tuple[str, asyncio.Future[None]]] = deque()
        while self._waiting:
            owner, turn = self._waiting.popleft()
            if turn.done():
                continue
            if self._places > 0 and self._taken[owner] < self._share:
                self._take(owner)
                turn.set_result(None)
            else:
                still.append((owner, turn))
        self._waiting = still

    async def _worker(self) -> Worker:
        worker = self._rested() or Worker(self.limits, self._clock)
        self._busy.add(worker)
        if not worker.fit:
            try:
                await worker.start()
            except OSError as error:  # no descriptor, no process left: our side, not the document
                self._busy.discard(worker)
                raise Withheld(f"no worker process can be started: {error}", "workers", START_AGAIN) from error
        return worker

    def _rested(self) -> Worker | None:
        """One that waits for work. Those that have ended meanwhile (when memory is short, the kernel ends them first)
        are nobody's fault, least of all of the next piece of work."""
        while self._idle:
            worker = self._idle.pop()
            if worker.lives:
                return worker
            self._end(worker)
        return None

    def _give_back(self, owner: str, worker: Worker | None) -> None:
        if worker is not None:
            self._busy.discard(worker)
            if worker.fit and not self._closed:
                self._idle.append(worker)
                self._dismiss_later()
            else:
                self._end(worker)
        self._leave(owner)

    def _end(self, worker: Worker) -> None:
        task = asyncio.get_running_loop().create_task(worker.end(), name="worker-end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _dismiss_later(self) -> None:
        if self._dismissal is not None:
            self._dismissal.cancel()
        self._dismissal = self._clock.call_later(IDLE_SECONDS, self._dismiss)

    def _dismiss(self) -> None:
        while len(self._idle) > 1:
            self._end(self._idle.pop(0))


START_AGAIN = 5.0
"""Seconds after which work is tried again for which no worker could be started."""
