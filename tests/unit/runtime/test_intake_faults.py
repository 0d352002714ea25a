"""The contract of `take`, with a fault of every class at every await: it takes an arrival whole, or it raises
TransientError or JournalUnavailable and leaves nothing under way; what is offered again afterwards is delivered
once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.core.errors import (
    ConfigError,
    DecodeError,
    JournalUnavailable,
    MappingError,
    RejectedError,
    TransientError,
    Unroutable,
)
from hub.core.identity import digest
from hub.core.message import Message
from hub.core.ports import Arrival, BytesBody, FileBody, Taken
from hub.core.topology import route_queue, source_dead_queue
from hub.journal.timeline import Timeline
from hub.runtime.delivery.hand_over import HandOver
from hub.runtime.delivery.replies import Replies
from hub.runtime.delivery.sending import Sender
from hub.runtime.delivery.settling import Settling
from hub.runtime.intake.intake import Intake
from hub.runtime.placing import Placing, carry_out
from tests.support.erp import Erp
from tests.support.site import SiteOnDisk, order

FAULTS: tuple[Callable[[], Exception], ...] = (
    lambda: TransientError("away", "unreachable"),
    lambda: TransientError("full", "busy"),
    lambda: JournalUnavailable("away"),
    lambda: Unroutable("", "hub.route.orders"),
    lambda: RejectedError("refused by the broker"),
    lambda: ConfigError("declared otherwise"),
    lambda: DecodeError("what AMQP can't carry"),
    lambda: MappingError("what nobody can write"),
    lambda: OSError(28, "No space left on device"),
    lambda: TimeoutError(),
    lambda: ValueError("a statement that the database refuses"),
    lambda: RuntimeError("what a library breaks"),
    lambda: MemoryError(),
)
ASKED = ("publish", "commit", "declare", "claim_body", "keep_stream", "find")


@dataclass
class Fault:
    """Raises `error` at one of the calls of the names in ASKED: the one whose turn is `at`. `calls` counts them."""

    error: Callable[[], Exception] | None = None
    at: int = -1
    calls: int = 0
    names: list[str] = field(default_factory=list)

    def strikes(self, name: str) -> Exception | None:
        self.calls += 1
        self.names.append(name)
        return self.error() if self.error is not None and self.calls - 1 == self.at else None


class WithFaults:
    """A real broker, journal, claim store or finder of acknowledgments; some of its calls fail."""

    def __init__(self, real: Any, fault: Fault) -> None:
        self._real = real
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name == "claims":
            return WithFaults(found, self._fault)
        if name not in ASKED:
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            error = self._fault.strikes(name)
            if error is None:
                return found(*arguments, **named)
            if name == "keep_stream":
                raise error
            return failed(error)

        return call


def failed(error: Exception) -> Awaitable[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    with Erp().serving() as erp:
        async with SiteOnDisk(tmp_path, erp.url).running() as running:
            yield running


def intake_with(hub: RunningHub, fault: Fault) -> Intake:
    """An intake of its own beside the hub's, with the fault between it and the world."""
    broker, journal = WithFaults(hub.broker, fault), WithFaults(hub.journal, fault)
    runtime = replace(hub.runtime, broker=broker, journal=journal)  # type: ignore[arg-type]
    replies = Replies(runtime, hub.intake.take)
    sender = Sender(runtime, Settling(runtime, replies, hub.recoverability))
    hand_over = HandOver(runtime, sender, hub.recoverability)
    return Intake(runtime, WithFaults(hub.acknowledgments, fault), hand_over)  # type: ignore[arg-type]


async def taken(intake: Intake, arrival: Arrival) -> Taken | Exception:
    """What `take` gives or raises, as a source sees it."""
    try:
        return await intake.take(arrival)
    except Exception as error:
        return error


def under_way() -> list[str]:
    return [task.get_coro().__qualname__ for task in asyncio.all_tasks() if "_place" in task.get_coro().__qualname__]  # type: ignore[union-attr]


def arrivals(folder: Path) -> Iterator[Arrival]:
    """One of each kind: a document, a document for nobody, bytes that can't be read, and a body that is kept as a
    file."""
    yield Arrival("inbox", BytesBody(order("1")), "one.json")
    yield Arrival("inbox", BytesBody(order("2", partner="NOBODY")), "nobody.json")
    yield Arrival("inbox", BytesBody(b"no document"), "broken.json")
    large = folder / "large.json"
    large.write_bytes(order("3", notes=[{"text": "x" * 1000}] * 400))
    yield Arrival("inbox", FileBody(large), "large.json")


async def test_a_fault_at_any_await_leaves_the_contract_whole(hub: RunningHub, tmp_path: Path) -> None:
    number = 0
    for first in arrivals(tmp_path):
        counted = Fault()
        await intake_with(hub, counted).take(replace(first, salt="counted"))
        assert counted.calls >= 2, counted.names
        for error in FAULTS:
            for at in range(counted.calls):
                number += 1
                arrival = replace(first, salt=str(number))
                fault = Fault(error, at)
                result = await taken(intake_with(hub, fault), arrival)
                said = f"{error()!r} at {fault.names[at]} of {first.name}: {result!r}"
                assert isinstance(result, Taken | TransientError | JournalUnavailable), said
                assert not under_way(), said
                again = await hub.intake.take(arrival)
                assert again.documents + again.refused == 1, said


async def test_what_was_refused_by_a_fault_that_stays_is_a_dead_letter_with_its_cause(hub: RunningHub) -> None:
    fault = Fault(lambda: RejectedError("too large for this broker"), 1)  # the publish after the commit
    result = await intake_with(hub, fault).take(Arrival("inbox", BytesBody(order("7")), "seven.json"))
    assert (result.documents, result.refused) == (0, 1)
    assert "too large for this broker" in result.cause


async def test_the_bytes_of_what_could_not_be_recorded_are_kept_for_its_replay(hub: RunningHub) -> None:
    body = order("13")
    fault = Fault(
        lambda: ValueError("a statement that the database refuses"), 0
    )  # the commit that holds the claim, too
    result = await intake_with(hub, fault).take(Arrival("inbox", BytesBody(body), "thirteen.json"))
    assert (fault.names[0], result.documents, result.refused) == ("commit", 0, 1)
    kept = await hub.journal.claim_body(digest(body))
    assert b"".join(kept.chunks()) == body


@pytest.mark.parametrize("partner", ["P" * 1001, "P" * 200_000])
async def test_a_fact_that_no_header_carries_is_a_dead_letter(hub: RunningHub, partner: str) -> None:
    result = await hub.intake.take(Arrival("inbox", BytesBody(order("8", partner=partner)), "long.json"))
    assert (result.documents, result.refused) == (0, 1)
    assert f"partner has {len(partner)} characters, at most 1000 are allowed" in result.cause


async def test_a_key_or_a_fact_of_the_source_that_is_too_long_is_a_dead_letter(hub: RunningHub) -> None:
    for arrival in (
        Arrival("inbox", BytesBody(order("9")), keys=(("ticket", "t" * 1001),)),
        Arrival("inbox", BytesBody(order("9")), facts={"note": "n" * 1001}),
        Arrival("inbox", BytesBody(order("9")), facts={f"note{n}": "n" * 1000 for n in range(100)}),
    ):
        result = await hub.intake.take(arrival)
        assert (result.documents, result.refused) == (0, 1), result
        assert "at most" in result.cause


async def test_a_fact_of_a_thousand_characters_is_carried(hub: RunningHub) -> None:
    result = await hub.intake.take(Arrival("inbox", BytesBody(order("10", partner="P" * 1000)), "n" * 5000))
    assert (result.documents, result.refused) == (1, 0)


async def test_nothing_is_published_before_its_rows_are_committed(hub: RunningHub) -> None:
    committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    published: list[str] = []

    class Slow:
        def commit(self, entry: Any) -> Awaitable[None]:
            return committed

    class Watched:
        def publish(self, exchange: str, key: str, message: Any, **named: Any) -> Awaitable[None]:
            published.append(key)
            return hub.broker.publish(exchange, key, message, **named)

    placing = Placing(offer=("order.received.ACME", Message("m1", b"{}")))
    placing.place(source_dead_queue("inbox"), Message("m1", b"{}"))
    task = asyncio.create_task(carry_out(placing, Slow(), Watched()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert published == []
    committed.set_result(None)
    await task
    assert published == [source_dead_queue("inbox"), "order.received.ACME"]


async def test_a_deleted_route_queue_is_declared_again_by_the_next_document(hub: RunningHub) -> None:
    assert await hub.broker.delete_queue(route_queue("orders"), if_empty=False)
    result = await hub.intake.take(Arrival("inbox", BytesBody(order("11")), "eleven.json"))
    assert result.documents == 1
    assert (await hub.broker.depths([route_queue("orders")]))[route_queue("orders")] is not None


async def test_what_is_offered_again_because_it_could_not_be_published_is_told_once(hub: RunningHub) -> None:
    """A source whose route queue is missing offers its document again and again; the journal has one event, not one for
    each."""
    intake = intake_with(hub, Fault())
    broker: Any = intake._runtime.broker
    broker._fault = Always(lambda: TransientError("the broker is away", "unreachable"), "publish")
    arrival = Arrival("inbox", BytesBody(order("12")), "twelve.json")
    for _ in range(3):
        assert isinstance(await taken(intake, arrival), TransientError)
    broker._fault = Fault()
    assert (await intake.take(arrival)).documents == 1
    (story,) = await Timeline(hub.journal).trace("12")
    assert [event.stage for event in story.events].count("matched") == 1


class Always(Fault):
    """Raises at every call of one name."""

    def __init__(self, error: Callable[[], Exception], name: str) -> None:
        super().__init__(error)
        self._name = name

    def strikes(self, name: str) -> Exception | None:
        return self.error() if name == self._name and self.error is not None else None
