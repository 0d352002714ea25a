"""One copy at one destination: planned, made, sent and settled, on a journal of its own and without a hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.core.effect import EffectStatus
from hub.core.errors import ConfigError, MappingError, RejectedError, TransientError
from hub.core.ports import WriteContext, Written
from hub.core.retry import QUICK
from hub.core.routing.facts import FactSet
from hub.core.routing.route_table import RouteTable
from hub.core.step import NamedStep, Stepped
from hub.documents import Document
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import Reason
from hub.journal.deliveries.effects import EffectState
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.attempt import Attempt
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.delivery.outcome import Busy, Delivered, Failed, Filtered, Outcome, Skipped
from hub.runtime.runtime import OpenDestination, Runtime, Snapshot
from tests.support.one_delivery import BODY, ROUTE, Peer, copy_of, sender_of


class Counting:
    """A writer whose bytes are new each time."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, document: Document, context: WriteContext) -> Written:
        self.count += 1
        return Written(b"%d" % self.count, "text/plain")


class Refusing:
    def write(self, document: Document, context: WriteContext) -> Written:
        raise MappingError("no price")


class Ending:
    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        return Stepped(document, filtered="a test order")


async def deliver(
    runtime: Runtime, copy: RouteCopy, *destinations: OpenDestination, redelivered: bool = False
) -> list[Outcome]:
    """What the worker does, and what an intake may do: prepare, commit, deliver."""
    sender = sender_of(runtime)
    known = {destination.name: destination for destination in destinations}
    snapshot = Snapshot("v1", RouteTable([ROUTE]), FactSet(), {}, known, {})
    entry = Entry()
    deliveries = await sender.prepare(Attempt(copy, ROUTE, snapshot, redelivered), entry)
    return await sender.deliver(deliveries, await runtime.journal.commit(entry))


def state_of(status: EffectStatus, *, mine: bool = True, claim: str | None = None, attempts: int = 0) -> EffectState:
    return EffectState("d1", "erp", "orders", status, 1, "key", claim, None, attempts, mine)


FAILURE = MappingError("no price")
GONE = Failed(ConfigError("not there any more"))


@pytest.mark.parametrize(
    ("state", "redelivered", "verdict", "failure", "outcome"),
    [
        (state_of(EffectStatus.PREPARED), False, None, None, None),
        (state_of(EffectStatus.DELIVERED, mine=False), False, GONE, None, Skipped("delivered already")),
        (
            state_of(EffectStatus.PREPARED, mine=False),
            False,
            GONE,
            None,
            Busy(Reason.PROCESS, "another process is sending it"),
        ),
        (state_of(EffectStatus.RETRYING, attempts=1), True, GONE, None, Skipped("retrying already, after attempt 1")),
        (state_of(EffectStatus.RETRYING, attempts=1), False, GONE, None, GONE),
        (state_of(EffectStatus.PREPARED, claim="c"), False, GONE, None, GONE),
        (state_of(EffectStatus.PREPARED), False, None, FAILURE, Failed(FAILURE)),
        (state_of(EffectStatus.RETRYING, claim="c"), False, None, FAILURE, None),  # the journal holds the bytes
    ],
)
def test_the_journal_comes_before_the_plan(
    state: EffectState, redelivered: bool, verdict: Outcome | None, failure: Exception | None, outcome: Outcome | None
) -> None:
    snapshot = Snapshot("v1", RouteTable(), FactSet(), {}, {}, {})
    delivery = Delivery(Attempt(copy_of(), ROUTE, snapshot, redelivered), "erp", None, verdict=verdict, failure=failure)
    delivery.accept({("d1", "erp"): state}, {})
    assert delivery.known_outcome() == outcome


async def test_each_destination_has_its_own_outcome(runtime: Runtime) -> None:
    erp, wms = Peer(), Peer(TransientError("away", "unreachable"))
    outcomes = await deliver(
        runtime,
        copy_of("erp", "wms"),
        OpenDestination("erp", erp, None, QUICK),
        OpenDestination("wms", wms, None, QUICK),
    )
    assert [type(outcome) for outcome in outcomes] == [Delivered, Failed]
    assert erp.taken == [BODY]
    again = await deliver(runtime, copy_of("erp"), OpenDestination("erp", erp, None, QUICK))
    assert again == [Skipped("delivered already")]
    assert erp.taken == [BODY]


async def test_a_retry_sends_the_bytes_of_the_first_attempt(runtime: Runtime) -> None:
    peer, writer = Peer(TransientError("away", "unreachable")), Counting()
    destination = OpenDestination("erp", peer, writer, QUICK)
    assert isinstance((await deliver(runtime, copy_of(), destination))[0], Failed)
    stale = await deliver(runtime, copy_of(), destination, redelivered=True)
    assert stale == [Skipped("retrying already, after attempt 1")]
    peer.error = None
    assert isinstance((await deliver(runtime, copy_of(attempt=2), destination))[0], Delivered)
    assert (peer.taken, writer.count) == ([b"1"], 1)


async def test_what_can_not_be_written_is_not_sent(runtime: Runtime) -> None:
    peer = Peer()
    (outcome,) = await deliver(runtime, copy_of(), OpenDestination("erp", peer, Refusing(), QUICK))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, MappingError)
    assert peer.taken == []


async def test_a_step_ends_it(runtime: Runtime) -> None:
    peer = Peer()
    destination = OpenDestination("erp", peer, Counting(), QUICK, steps=(NamedStep("only_real", Ending()),))
    assert await deliver(runtime, copy_of(), destination) == [Filtered("a test order")]
    assert peer.taken == []


async def test_a_definite_no_is_held(runtime: Runtime) -> None:
    refused = RejectedError("unknown partner", hold="partner-setup")
    (outcome,) = await deliver(runtime, copy_of(), OpenDestination("erp", Peer(refused), None, QUICK))
    assert outcome == Failed(refused)
    assert await deliver(runtime, copy_of(), OpenDestination("erp", Peer(), None, QUICK)) == [Skipped("held already")]


async def test_a_destination_that_no_process_knows_is_gone(runtime: Runtime) -> None:
    (outcome,) = await deliver(runtime, copy_of())
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ConfigError)
