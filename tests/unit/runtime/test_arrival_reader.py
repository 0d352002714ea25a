"""A small arrival is read at once where that gives the same as reading it step by step."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from hub.core.clock import Clock
from hub.core.plugin import Context
from hub.core.ports import Arrival, BytesBody, Reader
from hub.core.routing.route import Route, Send
from hub.core.step import NamedStep
from hub.runtime.intake.arrival_reader import MOST_HOPS, ArrivalReader
from hub.runtime.intake.source_steps import SteppedReading
from tests.support.site import order
from tests.support.workshop import SOURCE, Workshop, workshop
from tests.unit.runtime.test_hand_over import Asking
from transformers.json import PLUGIN

LIST = {"document": "order@1", "each": "/"}
ONE = order("A1")
BODIES = {
    "one": ONE,
    "the same with a mark": b"\xef\xbb\xbf" + ONE,
    "empty": b"",
    "noise": b"\x00\xff{",
    "truncated": ONE[:-9],
    "another document": ONE.replace(b"order@1", b"invoice@1"),
    "a long fact": ONE.replace(b"ACME", b"A" * 2000),
}


async def read(shop: Workshop, body: bytes, **more: object) -> tuple[SteppedReading | None, list[SteppedReading]]:
    """At once, and step by step."""
    reader, snapshot = ArrivalReader(shop.runtime), shop.runtime.snapshot
    visit = await reader.claim(replace(Arrival(SOURCE, BytesBody(body), "a.json"), **more), shop.runtime.clock())  # type: ignore[arg-type]
    at_once = reader.at_once(snapshot, visit)
    found: list[SteppedReading] = []
    async with aclosing(reader.passed(snapshot, visit)) as readings:
        async for each in readings:
            found += each
    return at_once, found


def use(shop: Workshop, *, reader: Reader | None = None, steps: tuple[NamedStep, ...] = ()) -> None:
    snapshot = shop.runtime.snapshot
    readers = {SOURCE: reader} if reader is not None else snapshot.readers
    shop.runtime.snapshot = replace(snapshot, readers=readers, steps={SOURCE: steps})


def without_errors(reading: SteppedReading) -> tuple[object, ...]:
    """An error equals no other: its text does."""
    return str(reading.reading.error), replace(reading, reading=replace(reading.reading, error=None))


@pytest.mark.parametrize("what", BODIES)
async def test_what_is_read_at_once_is_what_is_read_step_by_step(tmp_path: Path, clock: Clock, what: str) -> None:
    async with workshop(tmp_path, clock, [Route("orders", (Send("erp"),))], []) as shop:
        at_once, (found,) = await read(shop, BODIES[what])
        assert at_once is not None
        assert without_errors(at_once) == without_errors(found)
        assert (found.reading.error is None) == what.startswith(("one", "the same"))


async def test_what_has_more_readings_or_none_or_asks_or_fails_is_left_to_the_other_way(
    tmp_path: Path, clock: Clock
) -> None:
    async with workshop(tmp_path, clock, [Route("orders", (Send("erp"),))], []) as shop:
        use(shop, reader=PLUGIN.build(SOURCE, PLUGIN.options.model_validate(LIST), Context(site=None)))
        for count, body in enumerate((b"[]", b"[" + ONE + b"]", b"[" + ONE + b"," + ONE + b"]")):
            at_once, found = await read(shop, body)
            assert len(found) == count
            assert (at_once is not None) == (count == 1)

        at_once, found = await read(shop, b"[" + ONE + b"]", headers={"hub-hops": MOST_HOPS})
        assert at_once is None
        assert "circle" in str(found[0].reading.error)

        use(shop, steps=(NamedStep("ask", Asking()),))
        at_once, (asked,) = await read(shop, b"[" + ONE + b"]")
        assert at_once is None
        assert asked.found is not None


async def test_a_reader_that_breaks_the_rules_is_left_to_the_other_way(tmp_path: Path, clock: Clock) -> None:
    """It says what is wrong."""
    async with workshop(tmp_path, clock, [Route("orders", (Send("erp"),))], []) as shop:

        class Broken:
            def read(self, body: object, headers: object) -> None:
                raise KeyError("its own fault")

        use(shop, reader=Broken())  # type: ignore[arg-type]
        at_once, (found,) = await read(shop, ONE)
        assert at_once is None
        assert "the reader failed: KeyError" in str(found.reading.error)
