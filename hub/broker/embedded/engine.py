"""The thread of the embedded broker: commands in, group commits, outcomes out."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from hub.broker.embedded.store import MessageStore, Routed, TakenMessage, steady
from hub.core.clock import Clock, Timer
from hub.core.errors import ConfigError, HubError, TransientError, Unroutable

LARGEST_BATCH = 2000
"""Commands in one commit."""

PAUSE = 0.5
"""Seconds between attempts while the file refuses to commit."""

Command = Callable[["Engine"], None]
"""Runs on the thread inside the transaction. After a failed commit it runs again: it must not count twice."""


class EmbeddedPublication:
    """A message on its way into the file, and who waits for it."""

    __slots__ = ("body", "exchange", "future", "key", "mandatory", "properties")

    def __init__(
        self, exchange: str, key: str, properties: bytes, body: bytes, mandatory: bool, future: asyncio.Future[None]
    ) -> None:
        self.exchange = exchange
        self.key = key
        self.properties = properties
        self.body = body
        self.mandatory = mandatory
        self.future = future

    def __call__(self, engine: Engine) -> None:
        engine.report(self._settle, engine.store.insert(self.exchange, self.key, self.properties, self.body))

    def _settle(self, outcome: Routed) -> None:
        if self.future.done():
            return
        if outcome == "full":
            target = self.exchange or self.key
            self.future.set_exception(TransientError(f"a queue behind {target!r} is full", "busy"))
        elif outcome == "unroutable" and self.mandatory:
            self.future.set_exception(Unroutable(self.exchange, self.key))
        else:
            self.future.set_result(None)


class Tap:
    """A consumer as the engine sees it: a queue, how many it may hold, and those that it holds."""

    def __init__(self, queue: str, prefetch: int, deliver: Callable[[list[TakenMessage]], None]) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.deliver = deliver
        self.held: set[int] = set()


class Engine(threading.Thread):
    """Owns the store. What it reports is reported after the commit that made it durable, on the event loop.

    A commit that fails fails its publications with TransientError; everything else in it is done again until it works.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        super().__init__(name=f"broker {path.name}", daemon=True)
        self.healthy = False
        self.failure: Exception | None = None
        self._path = path
        self._loop = loop
        self._clock = clock
        self._due = math.inf
        """When the event loop wakes the thread, in monotonic seconds."""
        self._timer: Timer | None = None
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self._retry: list[Command] = []
        self._taps: dict[str, list[Tap]] = {}
        self._reports: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._taken: list[tuple[Tap, list[TakenMessage]]] = []
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.store: MessageStore

    # --- called from the event loop

    def submit(self, command: Command) -> None:
        self._commands.put(command)

    def ask(self, question: Callable[[Engine], Any]) -> asyncio.Future[Any]:
        """The answer, after it is durable. HubErrors come back as they are."""
        answer = self._loop.create_future()
        if self.ended.done():
            answer.set_exception(TransientError("the broker is closed", "unreachable"))
            return answer

        def command(engine: Engine) -> None:
            try:
                result = question(engine)
            except HubError as error:
                engine.report(_fail, answer, error)
            except (ValueError, OverflowError) as error:  # a name or a number that SQLite can't store
                engine.report(_fail, answer, ConfigError(str(error)))
            else:
                engine.report(_answer, answer, result)

        self.submit(command)
        return answer

    def stop(self) -> None:
        """Everything submitted before is still done; what is in flight becomes ready again."""
        if self._timer is not None:
            self._timer.cancel()
        self._commands.put(None)

    def _wake_later(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(seconds, self.submit, _woken)

    # --- called by commands, on the thread

    def report(self, call: Callable[..., None], *arguments: Any) -> None:
        """Calls it on the event loop after the commit."""
        self._reports.append((call, arguments))

    def add_tap(self, tap: Tap) -> None:
        taps = self._taps.setdefault(tap.queue, [])
        if tap not in taps:
            taps.append(tap)
        self.store.changed.add(tap.queue)

    def remove_tap(self, tap: Tap) -> None:
        taps = self._taps.get(tap.queue, [])
        if tap in taps:
            taps.remove(tap)
        if not taps:
            self._taps.pop(tap.queue, None)

    def finish(self, tap: Tap, ids: Iterable[int]) -> None:
        self.store.finish(ids)
        tap.held.difference_update(ids)
        self.store.changed.add(tap.queue)

    def give_back(self, tap: Tap, ids: Iterable[int], *, counted: bool) -> None:
        self.store.give_back(ids, counted=counted)
        tap.held.difference_update(ids)

    # --- the thread

    def run(self) -> None:
        try:
            self.store = MessageStore(self._path, steady(self._clock))
        except sqlite3.Error as error:
            self._call([(_fail, (self.opened, error))])
            return
        self.healthy = True
        self._call([(_answer, (self.opened, None))])
        try:
            self._work()
        finally:
            self.healthy = False
            self.store.close()
            self._call([(_answer, (self.ended, None))])

    def _work(self) -> None:
        running = True
        while running:
            commands, running = self._next()
            try:
                self._commit(commands, running)
            except sqlite3.Error as error:
                self._refused(error, commands)

    def _wake_in(self, seconds: float) -> None:
        """The thread itself waits for commands alone: time is the event loop's."""
        due = self._clock.monotonic() + seconds
        if due < self._due:
            self._due = due
            self._call([(self._wake_later, (seconds,))])

    def _next(self) -> tuple[list[Command], bool]:
        """Waits for something to do, and takes all that is there. False: the last batch."""
        commands, self._retry = self._retry, []
        try:
            item = self._commands.get()
            while item is not None:
                commands.append(item)
                if len(commands) >= LARGEST_BATCH:
                    return commands, True
                item = self._commands.get_nowait()
        except Empty:
            return commands, True
        return commands, False

    def _commit(self, commands: list[Command], running: bool) -> None:
        """One transaction."""
        store = self.store
        store.begin()
        for command in commands:
            command(self)
        wait = store.expire()
        if running:
            self._serve()
        else:
            for taps in self._taps.values():
                for tap in taps:
                    store.give_back(tap.held)
        store.commit()
        self.healthy = True
        self.failure = None
        reports, self._reports = self._reports, []
        for tap, messages in self._taken:
            reports.append((tap.deliver, (messages,)))
        self._taken.clear()
        if wait is not None and running:
            self._wake_in(wait)
        if reports:
            self._call(reports)

    def _serve(self) -> None:
        """Fills up the consumers of the queues that changed; of several at one queue each goes first in its turn."""
        changed, self.store.changed = self.store.changed, set()
        for queue in changed:
            taps = self._taps.get(queue, [])
            for tap in taps:
                messages = self.store.take(queue, tap.prefetch - len(tap.held))
                if messages:
                    tap.held.update(message.id for message in messages)
                    self._taken.append((tap, messages))
            if len(taps) > 1:
                taps.append(taps.pop(0))

    def _refused(self, error: sqlite3.Error, commands: list[Command]) -> None:
        self.healthy = False
        self.failure = error
        self._reports.clear()
        for tap, messages in self._taken:
            tap.held.difference_update(message.id for message in messages)
        self._taken.clear()
        self.store.changed.update(self._taps)
        self._retry = [command for command in commands if not isinstance(command, EmbeddedPublication)]
        reason = TransientError(f"the broker's file {self._path.name} can't be written: {error}", "unreachable")
        self._call([(_fail, (item.future, reason)) for item in commands if isinstance(item, EmbeddedPublication)])
        self._undo()
        self._wake_in(PAUSE)

    def _undo(self) -> None:
        try:
            self.store.rollback()
        except sqlite3.Error as error:
            self.failure = error

    def _call(self, reports: list[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
        try:
            self._loop.call_soon_threadsafe(_run, reports)
        except RuntimeError:
            self.healthy = False  # the loop has ended without closing the broker: as in a crash, nothing is lost


def _woken(engine: Engine) -> None:
    engine._due = math.inf


def _run(reports: list[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
    """Each in its turn. One that raises, which the event loop reports, keeps none of the others from theirs."""
    for at, (call, arguments) in enumerate(reports):
        finished = False
        try:
            call(*arguments)
            finished = True
        finally:
            if not finished:
                asyncio.get_running_loop().call_soon(_run, reports[at + 1 :])


def _answer(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
