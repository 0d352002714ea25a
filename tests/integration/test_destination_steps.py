"""Steps of a destination: what happens to a document between its route and the writer."""

from __future__ import annotations

import json

from hub.app.running_hub import RunningHub
from hub.journal.deliveries.decisions import Decisions
from hub.journal.story import StoryEvent
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.site import INBOX, SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

ROUTES = (
    INBOX
    + """\
destinations:
  plain:
    rest: {endpoint: erp, call: POST /plain}
    retry: fast
  stepped:
    rest: {endpoint: erp, call: POST /stepped}
    retry: fast
    steps: STEPS
routes:
  - id: orders
    when: {document: order, partner: ACME}
    once: [partner, number]
    to: [plain, stepped]
"""
)
DOUBLED = """{"number": "{{ document.number }}", "partner": "{{ document.partner }}", "lines": [{% for line in document.lines %}
{"quantity": {{ (line.quantity * 2) | tojson }}, "price": {{ line.price | tojson }}}{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501


def lay(site: SiteOnDisk, steps: str) -> None:
    (site.folder / "config/destinations.yaml").unlink()
    site.write("routes/acme.yaml", ROUTES.replace("STEPS", steps))
    site.write("routes/templates/doubled.json.j2", DOUBLED)


def at(erp: Erp, path: str) -> list[Request]:
    return [request for request in erp.requests if request.path == path]


async def test_one_destination_gets_another_document_and_the_others_dont(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, "[{name: dear, filter: total > 1}, {name: doubled, map: doubled.json.j2}]")
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        await status_becomes(hub, "1", "delivered", "plain")
        told = await status_becomes(hub, "1", "delivered", "stepped")
        assert [json.loads(r.body)["lines"][0]["quantity"] for r in (*at(erp, "/plain"), *at(erp, "/stepped"))] == [
            "2",
            "4",
        ]
        assert [(e.destination, e.text) for e in told.events if e.stage == "step"] == [("stepped", "doubled: changed")]


async def test_a_filtered_document_ends_there_and_is_done(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, "[{name: dear, filter: total > 100}]")
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        told = await status_becomes(hub, "1", "filtered", "stepped")
        await status_becomes(hub, "1", "delivered", "plain")
        assert [e.text for e in told.events if e.stage == "step"] == ["dear: filtered out: not total > 100"]
        site.drop("again.json", order("1", quantity="3"))

        async def duplicate() -> bool:
            return any(e.stage == "duplicate" for e in await stories(hub, "again.json"))

        await eventually(duplicate)  # the once-key is done: nothing is open any more
    assert not at(erp, "/stepped")


async def stories(hub: RunningHub, value: str) -> list[StoryEvent]:
    from hub.journal.timeline import Timeline

    return [event for story in await Timeline(hub.journal).trace(value) for event in story.events]


async def test_a_step_that_refuses_makes_a_dead_letter_of_that_destination(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, "[{name: whole, validate: {that: {it is dear: total > 100}}}]")
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        (letter,) = await dead_letters(hub, 1)
        assert (letter.destinations, letter.cause) == ("stepped", "step whole: not so: it is dear")
        await status_becomes(hub, "1", "delivered", "plain")


async def test_what_is_held_goes_on_when_a_person_has_released_it(site: SiteOnDisk, erp: Erp) -> None:
    lay(
        site,
        "[{name: limit, validate: {that: {it is cheap: total < 10}, hold: credit_hold}}, {name: doubled, map:"
        " doubled.json.j2}]",
    )
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        await status_becomes(hub, "1", "held", "stepped")
        assert not at(erp, "/stepped")
        (hold,) = await Decisions(hub.journal).holds(("open",))
        assert (hold.owner, hold.cause) == ("finance-ops", "step limit: not so: it is cheap")
        done = await hub.replay.release([hold.id], "ann", "known customer")
        assert done["released"] == 1
        told = await status_becomes(hub, "1", "delivered", "stepped")
        assert [e.text for e in told.events if e.stage == "step"] == [
            "limit: refused",
            "limit: was released: not so: it is cheap",
            "doubled: changed",
        ]
        assert json.loads(at(erp, "/stepped")[0].body)["lines"][0]["quantity"] == "4"


async def test_what_was_released_isnt_held_again_when_a_later_step_has_to_wait(site: SiteOnDisk, erp: Erp) -> None:
    lay(
        site,
        "[{name: limit, validate: {that: {it is cheap: total < 10}, hold: credit_hold}},"
        " {name: terms, enrich: {endpoint: erp, call: GET /terms, set: {contract: /id}}}]",
    )
    asked: list[str] = []

    def script(request: Request) -> Answer:
        if request.path != "/terms":
            return Answer()
        asked.append(request.path)
        return Answer(503) if len(asked) == 1 else Answer(200, b'{"id": "T-1"}')

    erp.script = script
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        await status_becomes(hub, "1", "held", "stepped")
        (hold,) = await Decisions(hub.journal).holds(("open",))
        await hub.replay.release([hold.id], "ann", "known customer")
        await status_becomes(hub, "1", "delivered", "stepped")
        assert len(asked) == 2
        assert json.loads(at(erp, "/stepped")[0].body)["contract"] == "T-1"


async def test_a_retry_sends_what_the_steps_made_the_first_time(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, "[{name: doubled, map: doubled.json.j2}]")
    erp.script = lambda request: Answer(503) if request.path == "/stepped" and request.times == 1 else Answer()
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        told = await status_becomes(hub, "1", "delivered", "stepped")
        first, second = at(erp, "/stepped")
        assert (first.body, first.key) == (second.body, second.key)
        assert len([e for e in told.events if e.stage == "step"]) == 1
