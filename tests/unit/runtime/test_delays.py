"""Worker, recovery, keeper, replay, batching and intake where time decides: on parts of the runtime, by a virtual
clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hub.core.agreement import BatchLimits
from hub.core.clock import Clock
from hub.core.errors import RejectedError, TransientError
from hub.core.options.limits import LimitOptions
from hub.core.ports import Arrival, BytesBody, WriteContext, Written
from hub.core.retry import QUICK, RetryClass
from hub.core.routing.route import Route, Send
from hub.documents import Document
from hub.journal.copies.waits import Waits
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from hub.runtime.delivery.limit import Limit
from hub.runtime.runtime import OpenDestination
from tests.support.workshop import FarEnd, Workshop, workshop

ROUTE = Route("orders", (Send("erp"),), {"document": ("order",)})


def away(times: int) -> None:
    raise TransientError("nobody is there", "unreachable")


async def becomes(clock: Clock, check: Callable[[], Awaitable[bool]]) -> None:
    """Waits until it is so; the virtual clock ends a wait in vain."""
    while not await check():
        await clock.sleep(5.0)


async def is_dead(parts: Workshop, count: int = 1) -> bool:
    return len(await parts.dead()) == count


@asynccontextmanager
async def running(*works: Awaitable[None]) -> AsyncIterator[None]:
    """What looks now and then does so while the block runs."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class TestRetries:
    """A far end that is away."""

    async def test_each_attempt_waits_for_its_delay_and_the_last_ends_in_a_dead_letter(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        erp = FarEnd(clock, away)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, QUICK)]) as parts:
            await parts.take("1001")
            await becomes(clock, lambda: is_dead(parts))
            began = erp.asked[0]
            assert [round(at - began) for at in erp.asked] == [0, 1, 11, 71]
            assert len(set(erp.keys)) == 1
            assert Counter(await parts.stages("1001")) == {
                "received": 1,
                "read": 1,
                "matched": 1,
                "retry": 3,
                "dead": 1,
            }

    async def test_a_class_with_a_bound_gives_up_when_the_next_delay_would_pass_it(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        erp = FarEnd(clock, away)
        bound = RetryClass("bound", (60.0, 60.0, 60.0, 60.0), ("unreachable",), within=150.0)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, bound)]) as parts:
            await parts.take("1001")
            await becomes(clock, lambda: is_dead(parts))
            assert round(erp.asked[-1] - erp.asked[0]) <= 180
            assert len(erp.asked) < 5

    async def test_what_a_far_end_asks_for_is_waited_for_as_a_row(self, clock: Clock, tmp_path: Path) -> None:
        def busy(times: int) -> None:
            if times == 1:
                raise TransientError("come again later", "busy", 120.0)

        erp = FarEnd(clock, busy)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, QUICK)]) as parts:
            async with running(parts.waker.watch()):
                await parts.take("1001")
                await becomes(clock, lambda: count(parts, 1))
                await becomes(clock, lambda: delivered(parts, "1001"))
            assert 120 <= erp.asked[1] - erp.asked[0] < 122

    async def test_a_refusal_is_not_tried_again(self, clock: Clock, tmp_path: Path) -> None:
        def refuse(times: int) -> None:
            raise RejectedError("no such item", 422, "422")

        erp = FarEnd(clock, refuse)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, QUICK)]) as parts:
            await parts.take("1001")
            await becomes(clock, lambda: is_dead(parts))
            await clock.sleep(600.0)
            assert len(erp.asked) == 1
            assert await parts.statuses("1001") == {"erp": "dead"}


async def count(parts: Workshop, wanted: int) -> bool:
    return sum(one.count for one in await Waits(parts.runtime.journal).counts()) == wanted


async def delivered(parts: Workshop, *numbers: str) -> bool:
    return [await parts.statuses(number) for number in numbers] == [{"erp": "delivered"}] * len(numbers)


class TestOutages:
    """An endpoint that is left alone."""

    async def test_copies_outlive_an_outage_without_using_up_their_attempts(self, clock: Clock, tmp_path: Path) -> None:
        down = True

        def answer(times: int) -> None:
            if down:
                raise TransientError("down", "failed")

        erp = FarEnd(clock, answer)
        limit = Limit(LimitOptions(break_after=2, break_for="1m", concurrent=1), clock, endpoint="erp")
        patient = RetryClass("patient", (1.0, 2.0, 3.0), ("failed",))
        open_ = OpenDestination("erp", erp, None, patient, limit)
        numbers = [str(number) for number in range(1000, 1012)]
        async with workshop(tmp_path, clock, [ROUTE], [open_], {"erp": limit}) as parts:
            async with running(parts.waker.watch()):
                await parts.take(*numbers)
                await clock.sleep(300.0)  # the retry class alone would be through after six seconds
                assert await count(parts, len(numbers))
                assert await parts.dead() == []
                assert len(erp.asked) <= 2 + 300 / 60
                down = False
                await becomes(clock, lambda: delivered(parts, *numbers))
            assert limit.state.breaker == "closed"


class TestOnce:
    """A once-key."""

    async def test_another_message_waits_while_the_first_is_not_finished_and_is_then_a_duplicate(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        def once_away(times: int) -> None:
            if times == 1:
                away(times)

        erp = FarEnd(clock, once_away)
        slow = RetryClass("slow", (60.0,), ("unreachable",))
        route = Route("orders", (Send("erp"),), {"document": ("order",)}, once=("number",))
        async with workshop(tmp_path, clock, [route], [OpenDestination("erp", erp, None, slow)]) as parts:
            async with running(parts.waker.watch()):
                await parts.take("1001")
                await parts.take("1001", quantity="3")

                async def duplicate() -> bool:
                    stories = await stories_of(parts, "1001")
                    return any(event.stage == "duplicate" for story in stories for event in story.events)

                await becomes(clock, lambda: count(parts, 1))
                assert not await duplicate()
                await becomes(clock, duplicate)
            assert len(erp.asked) == 2
            assert round(erp.asked[1] - erp.asked[0]) == 60


async def stories_of(parts: Workshop, number: str) -> list[Story]:
    return list(await Timeline(parts.runtime.journal).trace(number))


class TestReplay:
    """Dead letters that go again."""

    async def test_a_replay_sends_the_same_bytes_with_the_same_key(self, clock: Clock, tmp_path: Path) -> None:
        erp = FarEnd(clock, away)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, QUICK)]) as parts:
            await parts.take("1001")
            await becomes(clock, lambda: is_dead(parts))
            erp.answer = lambda times: None
            assert (await parts.replay.replay(DeadFilter(), "tester"))["replayed"] == 1
            await becomes(clock, lambda: delivered(parts, "1001"))
            assert (len(set(erp.keys)), len(set(erp.bodies))) == (1, 1)
            assert await parts.dead() == []

    async def test_what_another_process_began_is_taken_up_only_after_a_while(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        erp = FarEnd(clock, away)
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", erp, None, QUICK)]) as parts:
            await parts.take("1001")
            await becomes(clock, lambda: is_dead(parts))
            (letter,) = await parts.dead()
            erp.answer, before = lambda times: None, len(erp.asked)
            assert await Decisions(parts.runtime.journal).begin_replay(letter, "somebody", parts.runtime.clock(), False)
            await clock.sleep(30.0)
            await parts.replay.resume(60.0)
            await clock.sleep(5.0)
            assert len(erp.asked) == before
            await clock.sleep(30.0)
            await parts.replay.resume(60.0)
            await becomes(clock, lambda: delivered(parts, "1001"))


class Together:
    """A writer that takes batches: at most three documents, for five minutes."""

    sequence = "ACME"
    batch = BatchLimits(3, 300.0)

    def write(self, document: Document, context: WriteContext) -> Written:
        documents = [str(each.number) for each in getattr(document, "documents", (document,))]
        return Written(" ".join(documents).encode(), "text/plain")


class TestBatching:
    """Documents that wait for each other."""

    @pytest.mark.parametrize(("numbers", "waited"), [(("1001", "1002"), 300.0), (("1001", "1002", "1003"), 0.0)])
    async def test_a_batch_goes_when_it_is_full_or_its_oldest_has_waited_long_enough(
        self, clock: Clock, tmp_path: Path, numbers: tuple[str, ...], waited: float
    ) -> None:
        erp = FarEnd(clock)
        open_ = OpenDestination("erp", erp, Together(), QUICK, sequence="ACME", batch=Together.batch)
        async with workshop(tmp_path, clock, [ROUTE], [open_]) as parts:
            async with running(parts.batching.watch()):
                begun = clock.monotonic()
                await parts.take(*numbers)
                await becomes(clock, lambda: delivered(parts, *numbers))
            assert waited <= erp.asked[0] - begun < waited + 3
            assert erp.bodies == [" ".join(numbers).encode()]


class TestIntake:
    """What comes in while nothing can be passed on."""

    async def test_a_broker_that_is_away_is_waited_for_a_second_and_nothing_is_begun(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        async with workshop(tmp_path, clock, [ROUTE], [OpenDestination("erp", FarEnd(clock), None, QUICK)]) as parts:
            engine, parts.runtime.broker._engine = parts.runtime.broker._engine, None  # type: ignore[attr-defined]
            begun = clock.monotonic()
            with pytest.raises(TransientError, match="takes no messages"):
                await parts.take("1001")
            assert clock.monotonic() - begun == pytest.approx(1.0, abs=0.1)
            parts.runtime.broker._engine = engine  # type: ignore[attr-defined]
            assert await stories_of(parts, "1001") == []
            (taken,) = await parts.take("1001")
            assert taken.documents == 1


class TestKeeper:
    """Dead letters are kept in the journal, whatever they come from."""

    async def test_an_order_that_no_route_takes_and_a_file_that_is_none_are_kept_with_their_cause(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        nobody = Route("others", (Send("erp"),), {"document": ("invoice",)})
        async with workshop(tmp_path, clock, [nobody], [OpenDestination("erp", FarEnd(clock), None, QUICK)]) as parts:
            await parts.take("1001")
            await parts.intake.take(Arrival("shop", BytesBody(b"\x00 no order"), "x"))
            await becomes(clock, lambda: is_dead(parts, 2))
            assert {letter.kind for letter in await parts.dead()} == {"unmatched", "source"}
