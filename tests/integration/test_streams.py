"""A stream as a source: read, not emptied."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.exchange import (
    StreamSource,
    StreamSourceOptions,
)
from hub.core.broker import BrokerLifecycle
from hub.core.context import Context
from hub.core.errors import TransientError
from hub.core.message import Message
from hub.core.ports import Arrival, Taken
from tests.support.brokers import eventually
from tests.support.exchanges import Takes, running

pytestmark = pytest.mark.rabbitmq


def stream(context: Context, **options: Any) -> StreamSource:
    wanted = {"queue": "history", "declare": True, **options}
    return StreamSource("history", StreamSourceOptions.model_validate(wanted), context)


async def test_a_stream_goes_on_where_it_was_left(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    for n in range(5):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    first, second = Takes(), Takes()
    async with running(stream(context), first):
        await first.count(5)
    for n in range(5, 8):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    async with running(stream(context), second):
        await second.count(3)
        await asyncio.sleep(0.2)
    assert first.bodies == [str(n).encode() for n in range(5)]
    assert sorted(second.bodies) == [b"5", b"6", b"7"]


async def test_what_a_crash_brings_again_is_known_and_what_is_new_too(
    broker: BrokerLifecycle, context: Context
) -> None:
    await broker.declare(stream(context).topology())
    for n in range(3):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    fresh, again, after = Takes(), Takes(), Takes()
    async with running(stream(context), fresh):
        await fresh.count(3)
    memory = context.memory("history")
    await memory.put("next", "1")  # as a crash leaves it: the last offsets are not kept
    await memory.put("seen", "3")
    await broker.publish("", "history", Message("3", b"3"))
    async with running(stream(context), again):
        await again.count(3)
    await broker.publish("", "history", Message("4", b"4"))
    async with running(stream(context), after):
        await after.count(1)
    assert [arrival.offered_again for arrival in fresh.arrivals] == [False] * 3
    known = {body: arrival.offered_again for body, arrival in zip(again.bodies, again.arrivals, strict=True)}
    assert known == {b"1": True, b"2": True, b"3": False}
    assert [arrival.offered_again for arrival in after.arrivals] == [False]  # an orderly end leaves no doubt


async def test_a_message_that_cannot_be_taken_holds_the_offset(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    for n in range(4):
        await broker.publish("", "history", Message(str(n), str(n).encode()))
    again = Takes()
    taken: list[bytes] = []

    async def all_but_the_second(arrival: Arrival) -> Taken:
        body = b"".join(arrival.body.chunks())
        if body == b"1":
            raise TransientError("not now", "busy")
        taken.append(body)
        return Taken(1)

    async with running(stream(context), all_but_the_second):

        async def the_others() -> bool:
            return len(taken) == 3

        await eventually(the_others)
    async with running(stream(context), again):
        await again.count(3)
    assert sorted(again.bodies) == [b"1", b"2", b"3"]


async def test_a_stream_from_now_on(broker: BrokerLifecycle, context: Context) -> None:
    await broker.declare(stream(context).topology())
    await broker.publish("", "history", Message("old", b"old"))
    take = Takes()
    async with running(stream(context, **{"from": "next"}), take):
        await asyncio.sleep(0.5)
        await broker.publish("", "history", Message("new", b"new"))
        await take.count(1)
    assert take.bodies == [b"new"]
