"""What a far end replies: its identifiers find the order, and its replies are documents of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.app.running_hub import RunningHub
from hub.core.ports import Arrival, BytesBody
from hub.documents import OrderAcknowledgment, to_json
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.rows import DeadLetterRow
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from tests.support.brokers import LIMIT
from tests.support.erp import Answer, Erp, Request
from tests.support.hub_forks import ForkedHub, forks
from tests.support.site import SiteOnDisk, order
from tests.support.x12 import orders_850

ENDS = """\
erp:
  rest: {endpoint: erp, call: POST /orders}
  retry: fast
  capture: {erp_order: /id, erp_place: header.Location}
desk:
  file: {folder: var/desk, name: "{document}_{number}.json"}
"""
ASKS = ENDS.replace("capture:", "read: {json: order_acknowledgment@1}\n  capture:")
CONFIRMED = """\
  - id: confirmed
    when: {document: order_acknowledgment, source: erp.reply, partner: ACME}
    to: [desk]
"""


def acknowledgment(number: str) -> bytes:
    """What the ERP answers."""
    return to_json(OrderAcknowledgment.model_validate({"number": number}))


def asking(site: SiteOnDisk) -> None:
    site.write("config/destinations.yaml", ASKS)
    site.write("routes/acme.yaml", (site.folder / "routes/acme.yaml").read_text() + CONFIRMED)


async def stories(hub: RunningHub, value: str, enough: Callable[[list[Story]], bool]) -> list[Story]:
    """Waits for a trace to tell enough."""
    async with asyncio.timeout(LIMIT):
        while True:
            found = await Timeline(hub.journal).trace(value)
            if enough(found):
                return found
            await asyncio.sleep(0.02)


def letters(found: list[Story]) -> list[DeadLetterRow]:
    return [letter for story in found for letter in story.dead_letters]


def sent(found: list[Story]) -> bool:
    return any(event.stage == "sent" for story in found for event in story.events)


async def test_an_identifier_of_the_far_end_finds_the_order(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(201, b'{"id": 7001}', {"Location": "/orders/7001-x"})
    site.write("config/destinations.yaml", ENDS)
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        (story,) = await stories(hub, "7001", sent)
        assert story.number == "104582"
        assert ("erp_place", "/orders/7001-x") in story.keys
        assert not [event for event in story.events if event.stage == "warning"]


async def test_an_identifier_that_is_not_there_is_a_warning_in_the_trace(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(201, b'{"id": {"deep": 1}}', {"Location": "/x"})
    site.write("config/destinations.yaml", ENDS)
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        (story,) = await stories(hub, "/x", sent)
        (warning,) = [event for event in story.events if event.stage == "warning"]
        assert warning.text == "the reply doesn't say erp_order at /id"
        assert [effect.status for effect in story.effects] == ["delivered"]


async def test_a_reply_is_a_document_with_the_correlation_of_its_question(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(200, acknowledgment(request.number), {"Content-Type": "application/json"})
    asking(site)
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        found = await stories(hub, "104582", lambda s: len(s) == 2 and all(sent([one]) for one in s))
        question, answer = sorted(found, key=lambda story: story.document or "")
        assert (question.document, answer.document) == ("order@1", "order_acknowledgment@1")
        assert (answer.source, answer.partner) == ("erp.reply", "ACME")
        assert ("in_reply_to", question.id) in answer.keys
        assert json.loads((site.folder / "var/desk/order_acknowledgment_104582.json").read_bytes())


async def test_an_identifier_of_the_far_end_finds_question_and_answer(site: SiteOnDisk, erp: Erp) -> None:
    named = OrderAcknowledgment.model_validate({"number": "104582", "lines": [], "contract": "C-7001"})
    erp.script = lambda request: Answer(200, to_json(named), {"Location": "/orders/7001-x"})
    asking(site)
    site.write("config/destinations.yaml", ASKS.replace("/id", "/contract"))
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        for value in ("C-7001", "/orders/7001-x"):
            found = await stories(hub, value, lambda s: len(s) == 2 and all(sent([one]) for one in s))
            assert {story.source for story in found} == {"inbox", "erp.reply"}


async def test_equal_replies_to_different_orders_are_different_documents(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(200, acknowledgment("same"), {})
    asking(site)
    async with site.running() as hub:
        for number in ("1", "2"):
            await hub.intake.take(Arrival("inbox", BytesBody(order(number))))
        found = await stories(hub, "same", lambda s: len(s) == 2)
        assert len({story.id for story in found}) == 2


async def test_a_reply_that_cannot_be_read_lies_with_the_dead_letters_of_its_source(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(200, b"<html>fine</html>", {})
    asking(site)
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        question = await stories(hub, "104582", sent)
        found = await stories(hub, question[0].id, lambda s: any(one.dead_letters for one in s))
        (dead,) = [letter for story in found for letter in story.dead_letters]
        assert (dead.kind, dead.source, dead.owner) == ("source", "erp.reply", "order-desk")
        assert len(erp.requests) == 1


async def test_what_is_refused_is_found_by_its_number_and_overtaken_when_it_is_delivered(
    site: SiteOnDisk, erp: Erp
) -> None:
    asking(site)
    erp.script = lambda request: Answer(201, b"no acknowledgment")
    refused = json.dumps({**json.loads(order("1002")), "lines": 7}).encode()
    acme = (site.folder / "config/partners/acme.yaml").read_text()
    edi = orders_850(["1003", "1004"]).replace(b"BEG*00*SA*1003", b"BEG*00*XX*1003")
    overlay = 'x12:\n  overlays: {"850": [{at: BEG/BEG02, codes: [SA]}]}\n'
    site.write("config/partners/acme.yaml", acme + overlay)
    async with site.running() as hub:
        site.drop("1001.json", order("1001"))
        (asked, reply) = await stories(hub, "1001", lambda found: len(found) == 2 and sent(found))
        assert any("the reply can't be read" in (event.text or "") for event in asked.events)
        assert reply.dead_letters or reply.events[-1].stage in ("unreadable", "dead")
        site.drop("refused.json", refused)
        site.drop("cut.json", order("1005")[:-5])
        site.drop("edi.edi", edi, "var/edi")
        for number in ("1002", "1003", "1005"):
            (told,) = await stories(hub, number, lambda found: any(story.dead_letters for story in found))
            assert (told.number, told.dead_letters[0].number) == (number, number)
        site.write("config/partners/acme.yaml", acme)
        await hub.reload()
        site.drop("again.edi", edi, "var/edi")
        found = await stories(hub, "1003", lambda found: any(letter.status != "dead" for letter in letters(found)))
        assert [letter.status for letter in letters(found) if letter.source == "edi"] == ["overtaken"]
        assert await Decisions(hub.journal).dead_letters(DeadFilter(source="edi"), hub.runtime.clock()) == []


async def test_an_empty_reply_is_a_warning(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(200, b"", {"Location": "/1"})
    asking(site)
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        (story,) = await stories(hub, "104582", sent)
        assert "the reply is empty: there is no document in it" in [e.text for e in story.events]


async def test_a_reply_that_was_kept_is_read_after_a_failure_without_asking_again(site: SiteOnDisk, erp: Erp) -> None:
    """The intake fails after the reply is kept; the ERP would answer something else the second time."""
    erp.script = lambda request: Answer(200, acknowledgment(f"{request.number}-{request.times}"), {})
    asking(site)
    async with site.running() as hub:
        readers = dict(hub.runtime.snapshot.readers)
        kept = readers.pop("erp.reply")
        hub.runtime.snapshot = replace(hub.runtime.snapshot, readers=readers)
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))

        def answered(found: list[Story]) -> bool:
            return any(effect.reply for story in found for effect in story.effects)

        await stories(hub, "104582", answered)
        hub.runtime.snapshot = replace(hub.runtime.snapshot, readers={**readers, "erp.reply": kept})
        found = await stories(hub, "104582-1", lambda s: len(s) == 1 and sent(s))
        assert found[0].source == "erp.reply"
        await stories(hub, "104582", sent)
        assert len(erp.requests) == 1


@pytest.mark.crash
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_killed_hub_loses_and_doubles_no_reply(site: SiteOnDisk, erp: Erp, moment: str) -> None:
    """Killed while the ERP answers (the question is asked again, under its key), and a moment after."""
    process = ForkedHub(site, forks())
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(request: Request) -> Answer:
        loop.call_soon_threadsafe(asked.set)
        return Answer(
            200, acknowledgment(request.number), {}, hang=0.3 if request.times == 1 and moment == "before" else 0.0
        )

    erp.script = script
    asking(site)
    process.start()
    try:
        await asyncio.to_thread(process.wait_ready)
        for number in range(20):
            site.drop(f"{number}.json", order(f"n{number}"))
        await asyncio.wait_for(asked.wait(), LIMIT)
        if moment == "after":
            await asyncio.sleep(0.15)
        process.kill()
        process.start()
        await asyncio.to_thread(process.wait_ready)
        desk = site.folder / "var/desk"
        async with asyncio.timeout(LIMIT):
            while len(list(desk.glob("order_acknowledgment_*.json"))) < 20:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        names = sorted(path.name for path in desk.iterdir() if not path.name.startswith("."))
        assert names == sorted(f"order_acknowledgment_n{number}.json" for number in range(20))
    finally:
        process.kill()


async def test_an_endpoint_that_is_left_alone_is_seen(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(500, b"broken")
    site.write("config/destinations.yaml", ENDS)
    limit = "limit: {concurrent: 2, break_after: 2, break_for: 1m}"
    site.write("config/endpoints.yaml", f'erp: {{rest: {{base: "{erp.url}", {limit}}}}}\n')
    async with site.running() as hub:
        await hub.intake.take(Arrival("inbox", BytesBody(order("104582"))))
        async with asyncio.timeout(LIMIT):
            while (state := (await hub.readiness())["endpoints"]["erp"])["breaker"] != "open":
                await asyncio.sleep(0.02)
        assert state["failures"] == 2
        await hub.measure()
        assert hub.metrics.registry.get_sample_value("hub_endpoint_breaker", {"endpoint": "erp"}) == 2
        assert "breaker_open" in (site.folder / "hub.log").read_text()
        assert len(erp.requests) == 2
