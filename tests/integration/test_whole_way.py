"""One message goes the whole way: every outcome that a document can have, on what a fresh checkout has (embedded
broker, SQLite) and on what a cluster has (RabbitMQ, PostgreSQL)."""

from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.file.source import WORK
from adapters.inbox.file_names import with_mark
from hub.app.running_hub import RunningHub
from hub.core.message import Message
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, exists, number_seen, status_becomes, story


async def test_a_dropped_order_reaches_the_erp_once(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    site.drop("a.json", order("1001"))
    told = await status_becomes(hub, "1001", "delivered")
    assert erp.numbers() == ["1001"]
    assert [event.stage for event in told.events] == ["received", "read", "matched", "sent"]
    assert told.events[2].detail["table"] == hub.site.version
    await eventually(lambda: exists(site.folder / "var/drop/done/a.json"))
    assert erp.requests[0].key == told.effects[0].key


async def test_a_refusal_is_dead_at_once_and_its_replay_has_a_new_key(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(422, b'{"error": "no such item"}')
    site.drop("a.json", order("1001"))
    (dead,) = await dead_letters(hub, 1, error="RejectedError")
    assert "no such item" in dead.cause
    erp.script = lambda request: Answer(201)
    await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester")
    await status_becomes(hub, "1001", "delivered")
    assert len({request.key for request in erp.requests}) == 2


async def test_the_same_file_again_and_at_the_same_moment_has_one_effect(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    for name in ("a.json", "b.json", "c.json"):
        site.drop(name, order("1001"))
    await status_becomes(hub, "1001", "delivered")
    for name in ("a.json", "b.json", "c.json"):
        await eventually(lambda name=name: exists(site.folder / "var/drop/done" / name))
    site.drop("again.json", order("1001"))
    await eventually(lambda: exists(site.folder / "var/drop/done/again.json"))
    site.drop("other.json", order("1002"))
    await status_becomes(hub, "1002", "delivered")
    assert erp.numbers() == ["1001", "1002"]


async def test_a_busy_erp_gets_the_same_bytes_and_key_again(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(503 if request.times < 3 else 201)
    site.drop("a.json", order("1001"))
    told = await status_becomes(hub, "1001", "delivered")
    assert told.effects[0].attempts == 3
    assert len({(request.key, request.body) for request in erp.requests}) == 1
    assert [event.stage for event in told.events] == ["received", "read", "matched", "retry", "retry", "sent"]


async def test_an_erp_that_stays_down_ends_in_the_dead_letters_and_a_replay_sends_the_same(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(503)
    site.drop("a.json", order("1001"))
    (dead,) = await dead_letters(hub, 1, route="orders", destination="erp", partner="ACME")
    assert len(erp.requests) == 4
    erp.script = lambda request: Answer(201)
    assert (await hub.replay.replay(DeadFilter(), "tester"))["replayed"] == 1
    told = await status_becomes(hub, "1001", "delivered")
    assert len({request.key for request in erp.requests}) == 1
    again = await hub.replay.replay(DeadFilter(ids=(dead.id,), status=("dead", "replayed")), "tester")
    assert again["replayed"] == 0
    assert len(erp.requests) == 5
    assert told.dead_letters[0].status == "replayed"


async def test_a_credit_hold_waits_for_its_owner(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    held = b'{"error": {"code": "CREDIT_HOLD"}}'
    erp.script = lambda request: Answer(409, held) if len(erp.of(request.number)) == 1 else Answer()
    site.drop("a.json", order("1001"))
    site.drop("b.json", order("1002"))
    await status_becomes(hub, "1001", "held")
    await status_becomes(hub, "1002", "held")
    decisions = Decisions(hub.journal)
    holds = {row.number: row for row in await decisions.holds(("open",))}
    assert holds["1001"].owner == "finance-ops"
    assert holds["1001"].due_at == pytest.approx(holds["1001"].held_at + 4 * 3600)
    assert await decisions.count_dead(DeadFilter(), hub.runtime.clock()) == 0
    assert (await hub.replay.release([holds["1001"].id], "tester", "paid"))["released"] == 1
    assert (await hub.replay.reject([holds["1002"].id], "tester", "no credit"))["rejected"] == 1
    told = await status_becomes(hub, "1001", "delivered")
    assert len({request.key for request in erp.of("1001")}) == 2
    assert "paid" in next(event.text for event in told.events if event.stage == "released")
    assert (await hub.replay.release([holds["1002"].id], "tester", ""))["released"] == 0
    site.drop("b-again.json", order("1002"))
    site.drop("c.json", order("1003", partner="ACME"))
    await eventually(lambda: number_seen(erp, "1003"))
    assert len(erp.of("1002")) == 1


async def test_a_reply_that_never_comes_is_sent_again_with_the_same_key(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(hang=30.0) if request.times == 1 else Answer()
    site.drop("a.json", order("1001"))
    await status_becomes(hub, "1001", "delivered")
    assert len(erp.requests) == 2
    assert len({(request.key, request.body) for request in erp.requests}) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"\x00\xff\x00garbage\r\n\r\n",
        b"HTTP/1.1 banana OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
    ids=["closed", "half a reply", "garbage", "bad status", "bad chunk", "bad gzip"],
)
async def test_a_destination_that_answers_garbage_or_half_is_tried_again(
    hub: RunningHub, site: SiteOnDisk, erp: Erp, raw: bytes
) -> None:
    erp.script = lambda request: Answer(raw=raw) if request.times == 1 else Answer()
    site.drop("a.json", order("1001"))
    told = await status_becomes(hub, "1001", "delivered")
    assert told.effects[0].attempts == 2
    assert len({(request.key, request.body) for request in erp.requests}) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\x00\x01\xff\xfe" * 100, "not JSON"),
        (b'{"document": "order@1"}', "missing"),
        (b'{"document": "ordre@1", "number": "1"}', "ordre@1"),
        (b'{"document": "order@1", "number": "1", "lines": [{"number": "1", "quantity": "many"}]}', "quantity"),
        (b"[" * 100_000, "JSON"),
    ],
    ids=["empty", "binary", "no number", "unknown document", "string for a number", "deep"],
)
async def test_an_undecodable_file_is_kept_whole_and_moved_aside(
    hub: RunningHub, site: SiteOnDisk, erp: Erp, body: bytes, words: str
) -> None:
    site.drop("bad.json", body)
    (dead,) = await dead_letters(hub, 1, kind="source", source="inbox")
    assert words in dead.cause
    assert b"".join((await hub.journal.claim_body(dead.body)).chunks()) == body
    await eventually(lambda: exists(site.folder / "var/drop/failed/bad.json"))
    assert erp.requests == []


async def test_what_no_route_takes_is_kept_with_its_cause_and_can_be_matched_later(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    site.write("config/partners/bolt.yaml", "partner: BOLT\n")
    site.drop("a.json", order("1001", partner="BOLT"))
    (dead,) = await dead_letters(hub, 1, kind="unmatched")
    assert "BOLT" in dead.cause
    assert "orders" in dead.cause
    routes = (site.folder / "routes/acme.yaml").read_text().replace("partner: ACME", "partner: [ACME, BOLT]")
    site.write("routes/acme.yaml", routes)
    await hub.reload()
    assert (await hub.replay.replay(DeadFilter(kind="unmatched"), "tester"))["replayed"] == 1
    await status_becomes(hub, "1001", "delivered")
    assert erp.numbers() == ["1001"]


async def test_messages_from_an_exchange_with_and_without_headers(hub: RunningHub, erp: Erp) -> None:
    await hub.broker.publish("shop.events", "order.placed", Message("", order("2001")))
    headers = {
        "text": "x",
        "number": 1,
        "float": 1.5,
        "yes": True,
        "none": None,
        "list": [1, {"a": b"\x00"}],
        "bytes": b"\xff",
    }
    await hub.broker.publish(
        "shop.events", "order.placed", Message("m2", order("2002"), headers=headers, correlation_id="c-9")
    )
    await hub.broker.publish("shop.events", "order.placed", Message("m3", b"no order"))
    await status_becomes(hub, "2001", "delivered")
    await status_becomes(hub, "2002", "delivered")
    assert erp.of("2002")[0].headers["X-Correlation-ID"] == "c-9"
    (dead,) = await dead_letters(hub, 1, kind="source", source="shop")
    assert "JSON" in dead.cause


async def test_an_edited_retry_class_is_another_version_of_the_site(hub: RunningHub, site: SiteOnDisk) -> None:
    policies = site.folder / "config/policies.yaml"
    site.write("config/policies.yaml", policies.read_text().replace("300ms", "400ms"))
    done = await hub.reload()
    assert (done["before"] != done["table"], done["changed"]) == (True, [])
    assert hub.site.version == hub.runtime.snapshot.version == hub.journal.table_version == done["table"]
    site.drop("a.json", order("1001"))
    told = await status_becomes(hub, "1001", "delivered")
    assert told.events[2].detail["table"] == done["table"]


async def test_a_bad_reload_changes_nothing_and_says_why(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    before = hub.site.version
    site.write("routes/acme.yaml", (site.folder / "routes/acme.yaml").read_text().replace("[erp]", "[epr]"))
    with pytest.raises(Exception, match="epr"):
        await hub.reload()
    assert hub.site.version == before
    assert hub.metrics.registry.get_sample_value("hub_reloads_total", {"outcome": "refused"}) == 1
    log = [json.loads(line) for line in (site.folder / "hub.log").read_text().splitlines()]
    assert any(line["event"] == "reload_refused" and "routes/acme.yaml:" in line["error"] for line in log)
    site.drop("a.json", order("1001"))
    await status_becomes(hub, "1001", "delivered")


async def test_one_destination_that_is_down_never_makes_the_others_receive_again(site: SiteOnDisk, erp: Erp) -> None:
    site.write(
        "config/destinations.yaml",
        "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: fast\n"
        "copy:\n  rest: {endpoint: erp, call: POST /copy}\n  retry: fast\n",
    )
    site.write("routes/acme.yaml", (site.folder / "routes/acme.yaml").read_text().replace("[erp]", "[erp, copy]"))
    erp.script = lambda request: Answer(503 if request.path == "/copy" and request.times < 3 else 201)
    async with site.running() as hub:
        site.drop("a.json", order("1001"))

        async def both() -> bool:
            stories = await Timeline(hub.journal).trace("1001")
            return [e.status for s in stories for e in s.effects] == ["delivered", "delivered"]

        await eventually(both)
    assert [request.path for request in erp.requests].count("/orders") == 1
    assert [request.path for request in erp.requests].count("/copy") == 3


async def test_a_document_above_a_megabyte_travels_as_a_claim(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    lines = [
        {"number": str(n), "quantity": "1", "unit": "EA", "price": "1.00", "notes": [{"text": "x" * 60}]}
        for n in range(20_000)
    ]
    site.drop("big.json", order("9001", lines=lines))
    await status_becomes(hub, "9001", "delivered")
    assert len({request.key for request in erp.requests}) == 1  # a slow machine may ask twice
    assert len(erp.requests[0].body) > 1 << 20


async def test_stop_finishes_what_is_in_work(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(hang=0.5)
    async with site.running():
        site.drop("a.json", order("1001"))
        await eventually(lambda: number_seen(erp, "1001"))
    async with site.running() as hub:
        assert (await story(hub, "1001")).effects[0].status == "delivered"
        await asyncio.sleep(0)
    assert len(erp.requests) == 1


async def test_a_file_that_a_crash_left_in_work_repeats_no_recorded_refusal(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(422, b'{"error": "no such item"}')
    site.drop("a.json", order("1001"))
    await dead_letters(hub, 1, error="RejectedError")
    await eventually(lambda: exists(site.folder / "var/drop/done/a.json"))
    (site.folder / "var/drop/done/a.json").rename(site.folder / "var/drop" / WORK / with_mark("a.json", 1))
    await eventually(lambda: exists(site.folder / "var/drop/done/a.json"))
    erp.script = lambda request: Answer(201)
    site.drop("b.json", order("1002"))
    await status_becomes(hub, "1002", "delivered")
    assert erp.numbers() == ["1001", "1002"]
    await dead_letters(hub, 1, error="RejectedError")


async def test_a_file_dropped_again_after_its_dead_letter_settles_it(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(422)
    site.drop("a.json", order("1001"))
    await dead_letters(hub, 1, route="orders")
    erp.script = lambda request: Answer(201)
    site.drop("b.json", order("1001"))
    await status_becomes(hub, "1001", "delivered")
    await dead_letters(hub, 0, route="orders")


async def test_what_can_not_be_replayed_is_in_the_list_again_with_the_reason(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    erp.script = lambda request: Answer(422)
    site.drop("a.json", order("1001"))
    (dead,) = await dead_letters(hub, 1, route="orders")

    async def forget(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("DELETE FROM claim WHERE digest = :digest"), {"digest": dead.body})

    await hub.journal.change(forget)
    result = await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester")
    assert result["replayed"] == 0
    (still,) = await dead_letters(hub, 1, route="orders")
    assert "missing" in still.reason
    await hub.replay.resume()
