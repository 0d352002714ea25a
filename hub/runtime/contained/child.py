"""What a worker process does.

It takes orders from the hub over a socket, one at a time, and ends when the hub closes it, or ends.
"""

from __future__ import annotations

import ctypes
import math
import os
import pickle
import resource
import signal
import socket
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.runtime.boundary import TOO_MUCH_MEMORY
from hub.runtime.contained.asking import QUESTIONS, Answered, GivenUp
from hub.runtime.contained.bench import Bench
from hub.runtime.contained.frame import Result, receive_order, send_result

PR_SET_PDEATHSIG = 1
KEPT = 2
"""Versions of the site for which a worker keeps what it has built: a reload has two at a time."""

MOST_PIECES = 2000
"""After so many pieces of work a worker ends: libraries leak."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """The first order. `memory` is what a piece of work may use beyond what the idle worker does."""

    memory: int


@dataclass(frozen=True, slots=True)
class Learn:
    """A version of the site, as a pickled recipe."""

    id: str
    recipe: bytes


@dataclass(frozen=True, slots=True)
class Do:
    """A piece of work, by the version `recipe` where it needs one, in `processor` seconds of processor time."""

    recipe: str | None
    work: Any
    processor: float


class Child:
    """Does what it is told."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._benches: dict[str, Bench] = {}
        self._memory = 0
        self._bound = 0
        self._pieces = 0

    def serve(self) -> None:
        while (order := receive_order(self._connection)) is not None:
            if isinstance(order, SetUp):
                self._memory = order.memory
            elif isinstance(order, Learn):
                while len(self._benches) >= KEPT:
                    del self._benches[next(iter(self._benches))]
                self._unbind()
                self._benches[order.id] = Bench(pickle.loads(order.recipe))  # noqa: S301  (the hub has made it)
                send_result(self._connection, Result({"ready": order.id}))
            elif not self._do(order):
                return

    def _do(self, order: Do) -> bool:
        """Whether the worker is fit for more."""
        self._pieces += 1
        limit_processor(order.processor)
        if not self._bound:
            self._bound = address_space() + self._memory
            resource.setrlimit(resource.RLIMIT_AS, (self._bound, resource.getrlimit(resource.RLIMIT_AS)[1]))
        last, fit = self._results(order)
        fit = fit and self._pieces < MOST_PIECES and address_space() < self._bound - self._memory * 3 // 4
        send_result(self._connection, Result({**last, "fit": fit}))
        return fit

    def _answered(self) -> Answered:
        """What the hub has found. Raises GivenUp."""
        answered = receive_order(self._connection)
        if answered is None:
            os._exit(0)
        if answered.gives_up:
            raise GivenUp("the hub can get no answers now")
        found: Answered = answered
        return found

    def _unbind(self) -> None:
        """What it learns belongs to the idle worker: its memory is bounded anew, from there."""
        if self._bound:
            self._bound, hard = 0, resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    def _results(self, order: Do) -> tuple[dict[str, Any], bool]:
        try:
            results, answered = order.work.run(self._benches[order.recipe] if order.recipe is not None else None), None
            while (result := _next(results, answered)) is not None:
                send_result(self._connection, result)
                answered = self._answered() if QUESTIONS in result.head else None
        except MemoryError:
            return {"failed": TOO_MUCH_MEMORY, "error": "DecodeError"}, False
        except OSError as error:
            if isinstance(error, BrokenPipeError | ConnectionResetError):
                os._exit(0)
            return {"failed": str(error), "error": type(error).__name__}, True
        except BaseException as error:  # noqa: BLE001  (also SystemExit: a plug-in ends no worker)
            return {"failed": str(error), "error": type(error).__name__}, True
        return {"done": True}, True


def _next(results: Generator[Result, Any], answered: Answered | None) -> Result | None:
    try:
        return results.send(answered)
    except StopIteration:
        return None


def limit_processor(seconds: float) -> None:
    """From now on. The limit of the kernel counts from the beginning of the process, in whole seconds."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def address_space() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def end_with(parent: int) -> None:
    """The kernel ends this process with its parent; a worker that spins sees no closed socket. When memory is short,
    the kernel ends a worker before the hub."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    try:
        Path("/proc/self/oom_score_adj").write_text("700")
    except OSError:
        pass


def main() -> None:
    """The arguments are the descriptor of the socket, and the process id of the hub."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    end_with(parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a stop of the hub: it ends its workers itself
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as connection:
        Child(connection).serve()
