"""Direct hand-over: which copies begin in the commit of their document, and that every other one goes to its queue
untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa

from hub.clock.system_clock import SystemClock
from hub.core.agreement import BatchLimits
from hub.core.effect import EffectStatus
from hub.core.errors import JournalUnavailable, TransientError
from hub.core.message import Message
from hub.core.once_key import OnceStatus
from hub.core.options.limits import LimitOptions
from hub.core.ports import Outgoing, Receipt
from hub.core.retry import QUICK
from hub.core.routing.facts import FactSet
from hub.core.routing.route import Route, Send
from hub.core.routing.route_table import RouteTable
from hub.core.step import NamedStep, Question, Stepped
from hub.documents import Document
from hub.journal import schema
from hub.journal.commit.entry import Entry
from hub.runtime.delivery.hand_over import LARGEST, HandedCopy, HandOver
from hub.runtime.delivery.limit import UNKNOWN, Limit
from hub.runtime.placing import Placing, carry_out
from hub.runtime.recovery.recoverability import Recoverability
from hub.runtime.runtime import OpenDestination, Runtime, Snapshot
from tests.support.one_delivery import BODY, Peer, copy_of, sender_of

ONE = Route("orders", (Send("erp"),))
TWO = Route("orders", (Send("erp"), Send("wms")))
ONCE = Route("orders", (Send("erp"),), once=("number",))


class Asking:
    """A step that asks somebody."""

    def questions(self, document: Document, facts: Mapping[str, Any]) -> Sequence[Question]:
        return [{"number": document.number}]

    async def ask(self, questions: Sequence[Question]) -> Sequence[Any]:
        return ["yes"]

    def answered(self, document: Document, facts: Mapping[str, Any], answers: Sequence[Any]) -> Stepped:
        return Stepped(document)

    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        return Stepped(document)


@dataclass
class Slow(Peer):
    """A far end that answers when it is told to."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, outgoing: Outgoing) -> Receipt:
        self.asked.set()
        await self.go.wait()
        return await super().send(outgoing)


class Case:
    """A runtime with destinations, and an intake's half of a hand-over."""

    def __init__(self, runtime: Runtime, *destinations: OpenDestination, enabled: bool = True) -> None:
        known = {destination.name: destination for destination in destinations}
        self.runtime = runtime
        self.snapshot = Snapshot("v1", RouteTable([ONE]), FactSet(), {}, known, {})
        self.sender = sender_of(runtime)
        self.hand_over = HandOver(runtime, self.sender, Recoverability(runtime), enabled=enabled)

    async def begin(self, entry: Entry, message: Message, route: Route = ONE) -> HandedCopy | None:
        return await self.hand_over.begin(self.snapshot, route, message, entry)

    async def place(self, message: Message, route: Route = ONE) -> bool:
        """As an intake does it. Whether the copy was handed over."""
        placing = Placing()
        placing.copy(route, message)
        ((_, placed),) = placing.copies
        if (handed := await self.begin(placing.entry, message, route)) is not None:
            placing.hand_over(placed, handed)
        await carry_out(placing, self.runtime.journal, self.runtime.broker)
        return handed is not None and placing.committed is not None and not placing.messages

    async def queued(self) -> int | None:
        return (await self.runtime.broker.depths(["hub.route.orders"]))["hub.route.orders"]

    async def effects(self) -> dict[str, str]:
        effect = schema.effect

        async def query(connection: Any) -> dict[str, str]:
            rows = await connection.execute(sa.select(effect.c.destination, effect.c.status, effect.c.claimed_by))
            return {row.destination: row.status for row in rows}

        return await self.runtime.journal.read(query)


def limit_of(runtime: Runtime, **options: Any) -> Limit:
    return Limit(LimitOptions(**{"concurrent": 4, **options}), runtime.clock)


def erp_of(runtime: Runtime, peer: Peer, **more: Any) -> OpenDestination:
    return OpenDestination("erp", peer, None, QUICK, **{"limit": limit_of(runtime), **more})


def message_of(*open: str, number: str = "1") -> Message:
    return copy_of(*open).message.with_headers(
        hub_send=",".join(open or ("erp",)), hub_facts=f'{{"number":"{number}"}}'
    )


async def test_a_copy_is_delivered_without_its_queue(runtime: Runtime) -> None:
    peer = Peer()
    case = Case(runtime, erp_of(runtime, peer))
    assert await case.place(message_of())
    assert (peer.taken, await case.queued()) == ([BODY], 0)
    assert await case.effects() == {"erp": EffectStatus.DELIVERED}


async def test_a_failure_is_attempt_one(runtime: Runtime) -> None:
    case = Case(runtime, erp_of(runtime, Peer(TransientError("away", "unreachable"))))
    assert await case.place(message_of())
    assert await case.effects() == {"erp": EffectStatus.RETRYING}
    assert await case.queued() == 0


def not_limited(runtime: Runtime) -> OpenDestination:
    return OpenDestination("erp", Peer(), None, QUICK)


async def break_(limit: Limit) -> None:
    with suppress(TransientError):
        async with limit.turn():
            raise TransientError("away", "unreachable")


@pytest.mark.parametrize(
    "why",
    ["large", "claim", "unknown", "no limit", "number", "batch", "gathers", "asks", "breaker", "full", "pace", "off"],
)
async def test_what_would_have_to_wait_goes_to_its_queue_with_no_effect(runtime: Runtime, why: str) -> None:
    peer, message = Peer(), message_of()
    limit = limit_of(runtime, concurrent=1, break_after=1, per_second=1 if why == "pace" else None)
    destination = erp_of(runtime, peer, limit=limit)
    match why:
        case "large":
            message = replace(message, body=b"x" * (LARGEST + 1))
        case "claim":
            message = replace(message, body=b"").with_headers(hub_claim="ab" * 32)
        case "unknown":
            destination = replace(destination, name="other")
        case "no limit":
            destination = not_limited(runtime)
        case "number":
            destination = replace(destination, sequence="ACME")
        case "batch":
            destination = replace(destination, batch=BatchLimits(10, 60.0))
        case "gathers":
            destination = replace(destination, gather=("partner",))
        case "asks":
            destination = replace(destination, steps=(NamedStep("ask", Asking()),))
        case "breaker":
            await break_(limit)
        case "pace":
            async with limit.turn():
                pass
        case "full":
            assert await limit.take_turn_now()
    case = Case(runtime, destination, enabled=why != "off")
    assert not await case.place(message)
    assert (peer.taken, await case.queued(), await case.effects()) == ([], 1, {})


async def test_a_turn_is_counted_from_the_moment_a_copy_is_let_in(runtime: Runtime) -> None:
    case = Case(runtime, erp_of(runtime, Peer(), limit=limit_of(runtime, concurrent=1)))
    first = await case.begin(Entry(), message_of())
    assert first is not None
    other = replace(message_of(), id="d2")
    assert await case.begin(Entry(), other) is None
    first.drop()
    second = await case.begin(Entry(), other)
    assert second is not None
    second.drop()


async def test_of_two_destinations_both_are_served_or_none(runtime: Runtime) -> None:
    full = limit_of(runtime, concurrent=1)
    assert await full.take_turn_now()
    erp = erp_of(runtime, Peer(), limit=limit_of(runtime, concurrent=1))
    wms = OpenDestination("wms", Peer(), None, QUICK, limit=full)
    case = Case(runtime, erp, wms)
    assert not await case.place(message_of("erp", "wms"), TWO)
    assert await case.effects() == {}
    full.give_turn_back()
    assert await case.place(replace(message_of("erp", "wms"), id="d2"), TWO)  # the turn at the first was given back


async def test_an_equal_copy_beside_it_goes_to_the_queue(runtime: Runtime) -> None:
    """Also from another process, which doesn't see what is under way here: only one commit inserts the effects."""
    peer = Peer()
    mine, other = Case(runtime, erp_of(runtime, peer)), Case(runtime, erp_of(runtime, peer))
    placed = await asyncio.gather(mine.place(message_of()), other.place(message_of()), mine.place(message_of()))
    assert sorted(placed) == [False, False, True]
    assert (peer.taken, await mine.queued()) == ([BODY], 2)
    assert not await other.place(message_of())  # and later, too


async def test_a_second_destination_that_is_not_new_leaves_nothing_prepared(runtime: Runtime) -> None:
    erp, wms = Peer(), Peer()
    limits = limit_of(runtime), limit_of(runtime)
    case = Case(
        runtime, erp_of(runtime, erp, limit=limits[0]), OpenDestination("wms", wms, None, QUICK, limit=limits[1])
    )
    assert await case.place(message_of("wms"), Route("orders", (Send("wms"),)))
    assert not await case.place(message_of("erp", "wms"), TWO)
    assert await case.effects() == {"wms": EffectStatus.DELIVERED}
    assert (erp.taken, await case.queued()) == ([], 1)


async def test_a_once_key_is_taken_in_the_same_commit_or_the_copy_goes_to_its_queue(runtime: Runtime) -> None:
    peer = Peer()
    case = Case(runtime, erp_of(runtime, peer))
    first = Entry()
    first.take_once("orders", '["7"]', "somebody", runtime.clock())
    await runtime.journal.commit(first)
    assert not await case.place(message_of(number="7"), ONCE)
    assert await case.effects() == {}
    both = [case.place(replace(message_of(number="8"), id=id), ONCE) for id in ("d2", "d3")]
    assert sorted(await asyncio.gather(*both)) == [False, True]

    async def query(connection: Any) -> list[tuple[str, str]]:
        key = schema.once_key
        return [
            tuple(row) for row in await connection.execute(sa.select(key.c.value, key.c.status).order_by(key.c.value))
        ]

    assert await runtime.journal.read(query) == [('["7"]', OnceStatus.PENDING), ('["8"]', OnceStatus.DONE)]
    assert not await case.place(replace(message_of(number=""), id="d4"), ONCE)  # without a number: its worker tells why
    assert len(peer.taken) == 1


async def test_a_stop_waits_for_a_send(runtime: Runtime) -> None:
    peer = Slow()
    case = Case(runtime, erp_of(runtime, peer))
    source = asyncio.create_task(case.place(message_of()))
    await peer.asked.wait()
    stopping = asyncio.create_task(case.hand_over.stop(30.0))
    await asyncio.sleep(0)
    assert not stopping.done()
    peer.go.set()
    await stopping
    assert await source
    assert (peer.taken, case.hand_over.in_work) == ([BODY], 0)
    assert await case.effects() == {"erp": EffectStatus.DELIVERED}


async def test_a_stop_that_waits_no_longer_gives_the_claim_back(runtime: Runtime) -> None:
    peer = Slow()
    case = Case(runtime, erp_of(runtime, peer))
    source = asyncio.create_task(case.place(message_of()))
    await peer.asked.wait()
    await case.hand_over.stop(0.01)
    with pytest.raises(asyncio.CancelledError):
        await source
    effect = schema.effect

    async def query(connection: Any) -> list[tuple[str, str | None]]:
        return [tuple(row) for row in await connection.execute(sa.select(effect.c.status, effect.c.claimed_by))]

    assert await runtime.journal.read(query) == [(EffectStatus.PREPARED, None)]


async def test_a_place_in_time_is_taken_with_the_turn(runtime: Runtime) -> None:
    """Of copies that come at once one may begin; no source waits for the pace of an endpoint."""
    case = Case(runtime, erp_of(runtime, Peer(), limit=limit_of(runtime, per_second=1)))
    placed = await asyncio.gather(*(case.place(replace(message_of(), id=f"p{n}")) for n in range(4)))
    assert sorted(placed) == [False, False, False, True]


async def test_nothing_begins_once_it_stops(runtime: Runtime) -> None:
    peer = Peer()
    case = Case(runtime, erp_of(runtime, peer))
    entry = Entry()
    handed = await case.begin(entry, message_of())
    assert handed is not None
    committed = await runtime.journal.commit(entry)
    await case.hand_over.stop(1.0)
    with pytest.raises(JournalUnavailable):
        await handed.deliver(committed)
    assert await case.begin(Entry(), replace(message_of(), id="d2")) is None
    effect = schema.effect

    async def query(connection: Any) -> list[tuple[str, str | None]]:
        return [tuple(row) for row in await connection.execute(sa.select(effect.c.status, effect.c.claimed_by))]

    assert (peer.taken, await runtime.journal.read(query)) == ([], [(EffectStatus.PREPARED, None)])


class Standing(SystemClock):
    """By this clock no send takes long, however busy the machine is."""

    def monotonic(self) -> float:  # type: ignore[override]
        return 0.0


async def test_a_far_end_that_was_never_asked_gets_a_few(runtime: Runtime) -> None:
    peer, limit = Slow(), Limit(LimitOptions(concurrent=40), Standing())
    case = Case(runtime, erp_of(runtime, peer, limit=limit))
    works = []
    for n in range(UNKNOWN):
        works.append(asyncio.create_task(case.place(replace(message_of(), id=f"u{n}"))))
        while limit.state.in_use <= n:
            await asyncio.sleep(0.001)
    assert not limit.is_quick
    peer.go.set()
    assert all(await asyncio.gather(*works))
    assert limit.is_quick


async def test_a_far_end_that_turns_slow_gets_its_copies_from_the_queue(runtime: Runtime) -> None:
    now = 0.0

    class Hands:
        """A clock that stands where the test sets it."""

        def __call__(self) -> float:
            return runtime.clock()

        def monotonic(self) -> float:
            return now

    limit = Limit(LimitOptions(concurrent=40), Hands(), busy=lambda: 0.0)  # type: ignore[arg-type]

    async def send(seconds: float) -> None:
        nonlocal now
        async with limit.turn():
            now += seconds

    for _ in range(8):
        await send(0.2)
    assert not limit.is_quick
    for _ in range(5):
        await send(0.001)
    assert limit.is_quick
    async with limit.turn():
        now += 0.6
        assert not limit.is_quick  # one hangs
