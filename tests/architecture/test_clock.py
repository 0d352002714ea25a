"""One place reads the time and waits; all others have a clock handed in (`hub.core.clock.Clock`)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.code import nodes, trees

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

HOMES = {"hub/clock/system_clock.py", "hub/journal/database/clock.py"}
"""The clock of this host; and the one that follows the database, which asks the other."""

OF_MODULES = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"},
    "asyncio": {"sleep", "timeout", "timeout_at", "wait_for"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
"""By module or class: what reads the time or waits for it."""

OF_LOOPS = {"call_later", "call_at", "time"}

NAMES = OF_LOOPS.union(*OF_MODULES.values())


def uses(found: Iterable[ast.AST]) -> Iterator[int]:
    """Lines that read the time, or wait for it, without a clock."""
    for node in found:
        match node:
            case ast.ImportFrom(module=module, names=names):
                if {alias.name for alias in names} & OF_MODULES.get(module or "", set()):
                    yield node.lineno
            case ast.Attribute(value=owner, attr=name) if name in NAMES and is_refused(ast.unparse(owner), name):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="wait"), keywords=keywords):
                limited = any(keyword.arg == "timeout" for keyword in keywords)
                if limited and ast.unparse(node.func) == "asyncio.wait":
                    yield node.lineno


def is_refused(owner: str, name: str) -> bool:
    """Whether `owner.name` reads the time or waits."""
    if name in OF_MODULES.get(owner.rpartition(".")[2], set()):
        return True
    return name in OF_LOOPS and ("loop" in owner.lower() or (name != "time" and not owner.endswith("clock")))


def test_only_the_clock_reads_the_time_and_waits() -> None:
    assert [f"{name}:{line}" for name in trees() if name not in HOMES for line in uses(nodes(name))] == []


@pytest.mark.parametrize(
    "source",
    [
        "time.time()",
        "Pauses(1.0, time.monotonic)",
        "from time import monotonic",
        "await asyncio.sleep(0)",
        "async with asyncio.timeout(1): ...",
        "await asyncio.wait_for(x, 1)",
        "await asyncio.wait({x}, timeout=1)",
        "asyncio.get_running_loop().time()",
        "loop.call_later(1, f)",
        "self._loop.call_at(1, f)",
        "datetime.now(UTC)",
        "datetime.date.today()",
    ],
)
def test_what_reads_the_time_would_be_found(source: str) -> None:
    assert list(uses(ast.walk(ast.parse(source))))


@pytest.mark.parametrize(
    "source", ["await asyncio.wait({x})", "self._clock.call_later(1, f)", "await clock.sleep(1)", "document.time"]
)
def test_a_clock_that_was_handed_in_is_allowed(source: str) -> None:
    assert not list(uses(ast.walk(ast.parse(source))))
