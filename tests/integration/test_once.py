"""`once`: one message owns a key; pending, done or free."""

from __future__ import annotations

from hub.app.running_hub import RunningHub
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.timeline import Timeline
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, seen, status_becomes


async def test_once_a_duplicate_number_goes_once_and_a_corrected_resend_after_a_dead_one_is_taken(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    routes = (
        (site.folder / "routes/acme.yaml")
        .read_text()
        .replace("    to: [erp]", "    once: [partner, number]\n    to: [erp]")
    )
    site.write("routes/acme.yaml", routes)
    await hub.reload()
    erp.script = lambda request: Answer(422) if b'"price":"0"' in request.body else Answer(201)
    site.drop("wrong.json", order("1001", price="0"))
    await dead_letters(hub, 1, route="orders")
    site.drop("corrected.json", order("1001", price="8"))

    async def delivered() -> bool:
        return len([r for r in erp.of("1001") if b'"price":"8"' in r.body]) == 1

    await eventually(delivered)
    site.drop("copy.json", order("1001", price="8", quantity="3"))

    async def duplicate() -> bool:
        return any(e.stage == "duplicate" for s in await Timeline(hub.journal).trace("1001") for e in s.events)

    await eventually(duplicate)
    assert len(erp.of("1001")) == 2


async def test_once_another_message_waits_while_the_first_is_pending(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    routes = (
        (site.folder / "routes/acme.yaml")
        .read_text()
        .replace("    to: [erp]", "    once: [partner, number]\n    to: [erp]")
    )
    site.write("routes/acme.yaml", routes)
    await hub.reload()
    held = b'{"error": {"code": "CREDIT_HOLD"}}'
    erp.script = lambda request: Answer(409, held) if b'"price":"1"' in request.body else Answer()
    site.drop("first.json", order("1001", price="1"))
    decisions = Decisions(hub.journal)

    async def is_held() -> bool:
        return len(await decisions.holds(("open",))) == 1

    await eventually(is_held)
    site.drop("second.json", order("1001", price="2"))

    async def waits() -> bool:
        return any(e.stage == "waits" for s in await Timeline(hub.journal).trace("1001") for e in s.events)

    await eventually(waits)
    assert len(erp.requests) == 1
    (hold,) = await decisions.holds(("open",))
    await hub.replay.reject([hold.id], "tester", "not this one")

    async def second_sent() -> bool:
        return any(b'"price":"2"' in request.body for request in erp.requests)

    await eventually(second_sent)


TWO = (
    "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: fast\n"
    "copy:\n  rest: {endpoint: erp, call: POST /copy}\n  retry: fast\n"
)


async def test_once_with_one_of_two_destinations_dead_a_corrected_resend_is_taken(site: SiteOnDisk, erp: Erp) -> None:
    site.write("config/destinations.yaml", TWO)
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes.replace("to: [erp]", "once: [partner, number]\n    to: [erp, copy]"))

    def script(request: Request) -> Answer:
        if b'"price":"0"' in request.body and request.path == "/orders":
            return Answer(422)
        return Answer(503 if request.path == "/copy" and request.times < 3 else 201)

    erp.script = script
    async with site.running() as hub:
        site.drop("wrong.json", order("1001", price="0"))
        await dead_letters(hub, 1, route="orders")
        await eventually(lambda: seen(erp, "/copy", b'"price":"0"', 3))
        site.drop("corrected.json", order("1001", price="8"))
        await eventually(lambda: seen(erp, "/orders", b'"price":"8"', 1))
        await eventually(lambda: seen(erp, "/copy", b'"price":"8"', 3))


async def test_a_replay_whose_once_key_is_taken_says_so_and_stays(hub: RunningHub, site: SiteOnDisk, erp: Erp) -> None:
    routes = (
        (site.folder / "routes/acme.yaml").read_text().replace("to: [erp]", "once: [partner, number]\n    to: [erp]")
    )
    site.write("routes/acme.yaml", routes)
    await hub.reload()
    erp.script = lambda request: Answer(422) if b'"price":"0"' in request.body else Answer(201)
    site.drop("wrong.json", order("1001", price="0"))
    (dead,) = await dead_letters(hub, 1, route="orders")
    site.drop("corrected.json", order("1001", price="8"))
    await eventually(lambda: seen(erp, "/orders", b'"price":"8"', 1))
    await status_becomes(hub, "corrected.json", "delivered")
    result = await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester")
    assert result["replayed"] == 0
    assert "once-key is held by" in next(iter(result["skipped"]))
    await dead_letters(hub, 1, route="orders")


async def test_once_without_a_value_is_a_dead_letter_and_no_duplicate(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes.replace("to: [erp]", "once: [control_number]\n    to: [erp]"))
    await hub.reload()
    site.drop("a.json", order("1001"))
    site.drop("b.json", order("1002"))
    found = await dead_letters(hub, 2, error="MappingError")
    assert all("control_number" in row.cause for row in found)
    assert erp.requests == []
