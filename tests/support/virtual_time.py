"""Time that goes on when nothing else can: an event loop whose clock jumps to the next timer as soon as nothing is in
work, in no thread either. Whoever waits for what never comes is told so, at the place where it waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa

from hub.broker.embedded.engine import Engine
from hub.clock.system_clock import SystemClock

BEGIN = 1_700_000_000.0
"""What the clocks show when a loop begins, in seconds since the epoch."""

LONGEST = 3600.0
"""Seconds of virtual time in which what a test waits for has to come."""

REAL = 30.0
"""Seconds of real time that a thread may be at work."""

UNIX_EPOCH = 2440587.5
"""As a Julian day."""


class NothingComes(Exception):
    """What a test waits for doesn't come."""


class VirtualClock(SystemClock):
    """Both readings of a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def __call__(self) -> float:
        return BEGIN + self._loop.time()

    def monotonic(self) -> float:  # type: ignore[override]
        return self._loop.time()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time moves only when no callback is ready, no thread works for it, and a timer is due next."""

    def __init__(self) -> None:
        self._now = 0.0
        self._main: asyncio.Future[Any] | None = None
        self._until = LONGEST
        self.in_work = 0
        """Things that threads do for this loop."""
        self.engines: set[Engine] = set()
        """Embedded brokers that have been told something since they were asked last whether they are done."""
        self.ending: set[Engine] = set()
        super().__init__(IdleSelector(self))

    def time(self) -> float:
        return self._now

    def run_until_complete(self, future: Any) -> Any:
        self._main = future if isinstance(future, asyncio.Future) else self.create_task(future)
        self._until = self._now + LONGEST
        return super().run_until_complete(self._main)

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:
        return self.counted(super().run_in_executor(executor, func, *args))

    async def shutdown_default_executor(self) -> None:
        self.in_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._done()

    def counted(self, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """A thread is at work until the future is done."""
        self.in_work += 1
        future.add_done_callback(lambda _: self._done())
        return future

    def _done(self) -> None:
        self.in_work -= 1

    def wait(self, timeout: float | None, poll: Callable[[float | None], list[Any]]) -> list[Any]:
        """Called where the loop has nothing to do for `timeout` seconds; None: there is no timer."""
        if found := poll(0):
            return found
        if self._ask_engines():
            found = poll(REAL)
            if not found:
                self._fail(f"a thread has been at work for {REAL:.0f} seconds of real time")
        elif timeout is None:
            self._fail("nothing is in work, and no timer is set")
        elif self._now + timeout > self._until:
            self._fail(f"it has not come within {LONGEST:.0f} seconds of virtual time")
        else:
            self._now += timeout
        return found

    def _ask_engines(self) -> bool:
        """Whether one of them is not done. Its answer comes after everything that it was told before."""
        told, self.engines = self.engines, set()
        for engine in told:
            if engine in self.ending:
                self.engines |= set() if engine.ended.done() else {engine}
            else:
                self.counted(engine.ask(lambda _: None))
                self.engines.discard(engine)
        return bool(self.in_work or self.engines)

    def _fail(self, why: str) -> None:
        """Ends what the test waits for with an error that says where it waits."""
        waiting: Any = self._main
        while isinstance(waiting, asyncio.Task):
            places, waiting = list(places_of(waiting.get_coro())), getattr(waiting, "_fut_waiter", None)
        text = f"{why}. The test waits at {' <- '.join(reversed(places))}"
        if waiting is None or waiting.done():
            raise NothingComes(text)
        self._until = self._now + LONGEST
        self.call_soon(lambda: waiting.done() or waiting.set_exception(NothingComes(text)))


class IdleSelector(selectors.DefaultSelector):
    """Tells the loop when it has nothing to do."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        return self._loop.wait(timeout, super().select)


def places_of(coroutine: Any) -> Iterator[str]:
    """Where a coroutine stands, from outside in."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            yield f"{frame.f_code.co_qualname} ({frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno})"
        coroutine = getattr(coroutine, "cr_await", None)


@contextmanager
def virtual_time(loop: VirtualLoop) -> Iterator[VirtualClock]:
    """While it lasts the loop counts what threads of SQLite connections and of embedded brokers do for it, and SQLite
    shows its time."""
    submit, stop, start = Engine.submit, Engine.stop, Engine.start

    def told(engine: Engine, command: Any) -> None:
        submit(engine, command)
        loop.engines.add(engine)

    def stopped(engine: Engine) -> None:
        stop(engine)
        loop.engines.add(engine)
        loop.ending.add(engine)

    def started(engine: Engine) -> None:
        loop.counted(engine.opened)
        start(engine)

    def show_time(connection: Any, record: object) -> None:
        """The journal asks by `julianday('now')`."""
        connection.create_function("julianday", 1, lambda _: UNIX_EPOCH + (BEGIN + loop.time()) / 86400.0)

    with pytest.MonkeyPatch.context() as patch:
        for method in ("_execute", "_connect", "close"):
            patch.setattr(aiosqlite.Connection, method, counting(getattr(aiosqlite.Connection, method), loop))
        for method, counted in {"submit": told, "stop": stopped, "start": started}.items():
            patch.setattr(Engine, method, counted)
        sa.event.listen(sa.Engine, "connect", show_time)
        try:
            yield VirtualClock(loop)
        finally:
            sa.event.remove(sa.Engine, "connect", show_time)


def counting(method: Any, loop: VirtualLoop) -> Any:
    async def counted(*arguments: Any, **named: Any) -> Any:
        loop.in_work += 1
        try:
            return await method(*arguments, **named)
        finally:
            loop.in_work -= 1

    return counted
