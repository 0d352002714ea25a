"""What explains a decision is in the journal: the facts with their types, and all that reading the same bytes again
needs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.app.running_hub import RunningHub
from hub.cli.messages.trace import terms_line
from hub.core.message import Message
from hub.core.ports import Arrival, BytesBody
from hub.core.typed_json import loaded
from hub.journal.deliveries.answers_recorded import asked_in
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.sendings import Sendings
from hub.journal.story import Story
from hub.journal.timeline import Timeline
from hub.runtime.intake.arrival_again import arrival_again
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

ROUTES = """\
format: 1
owner: order-desk
sources:
  shop:
    exchange: {name: shop.events, key: order.placed, facts: {region: header.x-region}}
    read: {json: order@1}
    steps:
      - {name: tests, filter: "number != 'FILTERED'"}
  mapped:
    exchange: {name: shop.events, key: order.mapped}
    read: {json: {document: order@1, map: mapped.json.j2}}
routes:
  - {id: north, when: {region: north, partner: ACME}, to: [{send: erp, if: "total >= 10000"}]}
  - {id: mapped, when: {source: mapped}, to: [erp]}
"""


@pytest.fixture
def site(site: SiteOnDisk) -> SiteOnDisk:
    site.write("config/facts.yaml", 'region: {from: arrival.region, type: text, default: ""}\n')
    site.write("routes/acme.yaml", ROUTES)
    site.write(
        "routes/templates/mapped.json.j2",
        '{"number": "{{ body.number }}", "partner": "{{ headers[\'x-partner\'] }}", "lines": []}',
    )
    return site


async def the_story(hub: RunningHub, value: str) -> Story:
    (story,) = await Timeline(hub.journal).trace(value)
    return story


def facts_of(story: Story) -> list[dict[str, Any]]:
    return [event.detail["facts"] for event in story.events if "facts" in event.detail]


async def test_what_was_matched_unmatched_or_filtered_has_its_facts_with_their_types(hub: RunningHub, erp: Erp) -> None:
    for number, price in (("1", "5000"), ("2", "4999.99"), ("FILTERED", "1")):
        taken = await hub.intake.take(
            Arrival("shop", BytesBody(order(number, price=price, quantity="2")), facts={"region": "north"})
        )
        assert taken.documents == 1
    await status_becomes(hub, "1", "delivered")
    for number, total in (("1", Decimal("10000")), ("2", Decimal("9999.98")), ("FILTERED", Decimal(2))):
        (facts,) = facts_of(await the_story(hub, number))
        assert (facts["total"], type(facts["total"])) == (total, Decimal)
        assert (facts["region"], facts["test"], facts["set"], facts["source"]) == ("north", False, None, "shop")
        matches = hub.runtime.snapshot.table.match(facts)
        assert [match.destinations for match in matches] == [("erp",) if number == "1" else ()]


TERMS: list[dict[str, Any]] = [
    {},
    {"salt": "login|k1", "partner": "ACME", "facts": {"region": "north", "big": True, "price": Decimal("1.50")}},
    {"headers": {"content_type": "application/json", "x-n": 3, "x-raw": b"\x00\xff", "x-list": [1, {"a": None}]}},
    {"headers": {"x-long": "x" * 20_000}},
]


async def test_what_came_is_read_again_to_the_same_ids_and_facts(hub: RunningHub) -> None:
    for number, terms in enumerate(TERMS):
        await hub.intake.take(Arrival("shop", BytesBody(order(f"N{number}")), f"f{number}.json", **terms))
        before = await the_story(hub, f"N{number}")
        again = await arrival_again(hub.journal, before.id)
        assert again is not None
        assert (again.name, again.headers) == (f"f{number}.json", terms.get("headers", {}))
        assert (again.identity, b"".join(again.body.chunks())) == (
            Arrival("shop", BytesBody(b""), **terms).identity,
            order(f"N{number}"),
        )
        await hub.intake.take(again)
        after = await the_story(hub, f"N{number}")
        assert after.id == before.id
        first, second = facts_of(after)
        assert first == second


async def test_a_header_that_lets_somebody_in_is_not_kept(hub: RunningHub) -> None:
    headers = {"Authorization": "Bearer s3cr3t-1", "X-Api-Key": b"s3cr3t-2", "deep": {"token": "s3cr3t-3"}, "x-a": "b"}
    await hub.intake.take(Arrival("shop", BytesBody(order("1")), headers=headers))
    again = await arrival_again(hub.journal, (await the_story(hub, "1")).id)
    assert again is not None
    assert again.headers == {"Authorization": "***", "X-Api-Key": "***", "deep": {"token": "***"}, "x-a": "b"}
    shown = terms_line((await the_story(hub, "1")).terms)
    assert shown == "its source knew: headers Authorization=*** X-Api-Key=*** deep={'token': '***'} x-a=b"
    assert (
        terms_line({"partner": "ACME", "facts": {"price": Decimal("1.50")}})
        == "its source knew: sent by ACME; facts price=1.50"
    )
    assert terms_line(None) == "what its source knew is not recorded"
    assert terms_line({}) == ""


async def test_a_message_that_was_unreadable_is_replayed_with_its_headers(
    hub: RunningHub, site: SiteOnDisk, erp: Erp
) -> None:
    site.write("routes/templates/mapped.json.j2", "no JSON")
    await hub.reload()
    await hub.broker.publish(
        "shop.events", "order.mapped", Message("m1", b'{"number": "7"}', headers={"x-partner": "ACME"})
    )
    (dead,) = await dead_letters(hub, 1, source="mapped")
    site.write(
        "routes/templates/mapped.json.j2",
        '{"number": "{{ body.number }}", "partner": "{{ headers[\'x-partner\'] }}", "lines": []}',
    )
    await hub.reload()
    assert (await hub.replay.replay(DeadFilter(ids=(dead.id,)), "tester"))["replayed"] == 1

    async def sent() -> bool:
        return erp.numbers() == ["7"]

    await eventually(sent)
    assert (await the_story(hub, "7")).partner == "ACME"


REPLY_HEADERS = {
    "Content-Type": "application/json",
    "Set-Cookie": "session=s3cr3t-4",
    "X-Echo": "you are s3cr3t-token",
    "X-Long": "y" * 2000,
}


async def test_every_reply_is_kept_with_its_status_headers_and_body(site: SiteOnDisk, erp: Erp) -> None:
    site.write(
        "config/endpoints.yaml",
        f"erp: {{rest: {{base: '{erp.url}', timeout: 2s, auth: {{bearer: '${{ERP_TOKEN}}'}}}}}}\n",
    )
    site.environ["ERP_TOKEN"] = "s3cr3t-token"
    site.write("routes/acme.yaml", (ROUTES + "  - {id: all, when: {region: all}, to: [erp]}\n"))
    site.write(
        "config/policies.yaml", "retry:\n  fast: {delays: [10ms], on: [failed]}\nholds:\n  credit_hold: {owner: f}\n"
    )

    def answers(request: Request) -> Answer:
        said = {
            "retried": [(500, b"oops s3cr3t-token"), (201, b'{"id": 7}')],
            "held": [(409, b'{"error": {"code": "CREDIT_HOLD"}}')],
            "dead": [(422, b"x" * 100_000)],
            "empty": [(204, b"")],
        }[request.number]
        status, body = said[min(request.times, len(said)) - 1]
        return Answer(status, body, REPLY_HEADERS)

    erp.script = answers
    wanted = {"retried": "delivered", "held": "held", "dead": "dead", "empty": "delivered"}
    async with site.running() as hub:
        for number in wanted:
            await hub.intake.take(Arrival("shop", BytesBody(order(number)), facts={"region": "all"}))
        for number, status in wanted.items():
            await status_becomes(hub, number, status)
        await dead_letters(hub, 1, route="all")
        await eventually(lambda: is_told(hub, "dead", "dead"))
        found = {number: (await Sendings(hub.journal).find(number))[0].replies for number in wanted}
        told = {
            number: [(one["attempt"], one["status"], one["size"], one.get("cut", False)) for one in replies]
            for number, replies in found.items()
        }
        assert told == {
            "retried": [(1, 500, 8, False), (2, 201, 9, False)],
            "held": [(1, 409, 34, False)],
            "dead": [(1, 422, 16384, True)],
            "empty": [(1, 204, 0, False)],
        }
        for one in (one for replies in found.values() for one in replies):
            assert (one["headers"]["set-cookie"], one["headers"]["x-echo"]) == ("***", "you are ***")
            assert len(one["headers"]["x-long"]) == 300
        assert "body" not in found["empty"][0]
        assert b"".join((await hub.journal.claim_body(found["retried"][0]["body"])).chunks()) == b"oops ***"
        assert [event.stage for event in (await the_story(hub, "dead")).events][-1] == "dead"
    shown = site.cli("trace", "held").stdout
    assert "    reply: 409, " in shown
    assert "content-type: application/json" in shown
    assert "    facts: document=order " in shown
    assert site.cli("sent", "retried", "--reply").stdout == '{"id": 7}'
    assert site.cli("sent", "empty", "--reply").returncode == 1


async def is_told(hub: RunningHub, number: str, stage: str) -> bool:
    return any(event.stage == stage for event in (await the_story(hub, number)).events)


async def test_what_a_step_asked_and_was_answered_is_kept(site: SiteOnDisk, erp: Erp) -> None:
    steps = [
        (
            "{name: customer, enrich: {endpoint: erp, call: 'GET /customers/{partner}', set: {contract: /contract},"
            " cache: 1h}}"
        ),
        "{name: rate, enrich: {endpoint: erp, call: 'GET /rates/{number}', set: {currency: /currency}, missing: keep}}",
        (
            "{name: price, enrich: {endpoint: erp, call: 'GET /prices/{item}', each: lines, names: {item: number},"
            " set: {price: /price}}}"
        ),
    ]
    routes = ROUTES.replace("{name: tests, filter: \"number != 'FILTERED'\"}", "\n      - ".join(steps))
    site.write("routes/acme.yaml", routes + "  - {id: all, when: {region: all}, to: [erp]}\n")

    def answers(request: Request) -> Answer:
        if request.path.startswith("/prices"):
            return Answer(200, b'{"price": 1.50}')
        known = {"/customers/ACME": b'{"contract": "C-17"}', "/rates/2": b'{"currency": "USD"}'}
        if request.path == "/rates/3":
            return Answer(403, b"forbidden")
        return (
            Answer(200, known[request.path])
            if request.path in known
            else Answer(404 if "rates" in request.path else 201)
        )

    erp.script = answers
    many = [{"number": str(number), "quantity": "1", "unit": "EA"} for number in range(1, 61)]
    async with site.running() as hub:
        for number in ("1", "2", "3"):
            body = order(number, **({"lines": many} if number == "2" else {}))
            await hub.intake.take(Arrival("shop", BytesBody(body), facts={"region": "all"}))
        for number in ("1", "2"):
            await status_becomes(hub, number, "delivered")
        told = {number: asked_of(await the_story(hub, number)) for number in ("1", "2", "3")}
        at = told["1"]["customer"][0]["at"]
        assert told["1"] == {
            "customer": [{"question": {"partner": "ACME"}, "answer": {"contract": "C-17"}, "at": at, "cached": False}],
            "rate": [{"question": {"number": "1"}, "at": told["1"]["rate"][0]["at"], "cached": False}],
            "price": [
                {
                    "question": {"item": "1"},
                    "answer": {"price": Decimal("1.50")},
                    "at": told["1"]["price"][0]["at"],
                    "cached": False,
                }
            ],
        }
        (again,) = told["2"]["customer"]
        assert (again["answer"], again["at"], again["cached"]) == ({"contract": "C-17"}, at, True)
        claim = told["2"]["price"]
        kept = asked_in({"asked": loaded(b"".join((await hub.journal.claim_body(claim)).chunks()))})
        assert [one["question"]["item"] for one in kept] == [line["number"] for line in many]
        assert told["3"]["rate"] == [{"question": {"number": "3"}, "error": "HTTP 403: forbidden"}]
    shown = site.cli("trace", "2").stdout
    assert "    asked: partner=ACME: contract=C-17, said 20" in shown
    assert ", kept from an earlier question" in shown
    assert f"    asked: many questions (claim {claim[:12]})" in shown


def asked_of(story: Story) -> dict[str, Any]:
    details = [event.detail for event in story.events if event.stage == "step"]
    return {detail["step"]: detail["asked"] for detail in details}
