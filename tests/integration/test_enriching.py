"""The step `enrich` on the whole way: another system is asked, by a source and by a destination."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import structlog

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.errors import TransientError
from hub.core.options.containment import Containment
from hub.runtime.contained.asking import Answered, Ask
from hub.runtime.contained.frame import Result
from hub.runtime.contained.pool import WorkerPool
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.site import INBOX, SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

ROUTES = (
    INBOX
    + """\
    steps: [{name: customer, enrich: {ENRICH}}]
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp]
"""
)
CUSTOMER = "endpoint: erp, call: 'GET /customers/{partner}', set: {contract: /contract}"
PRICES = "endpoint: erp, call: 'GET /prices/{item}', each: lines, names: {item: products.VN}, set: {price: /price}"


def lay(site: SiteOnDisk, enrich: str) -> None:
    site.write("routes/acme.yaml", ROUTES.replace("{ENRICH}", "{" + enrich + "}"))


def answering(known: dict[str, object]) -> object:
    def script(request: Request) -> Answer:
        if not request.path.startswith(("/customers", "/prices")):
            return Answer()
        path = unquote(request.path)
        return Answer(200, json.dumps(known[path]).encode()) if path in known else Answer(404)

    return script


def asked(erp: Erp) -> list[str]:
    return [request.path for request in erp.requests if not request.path.startswith("/orders")]


def sent(erp: Erp) -> dict[str, dict[str, object]]:
    return {r.number: json.loads(r.body) for r in erp.requests if r.path == "/orders"}


def two_lines(number: str) -> bytes:
    lines = [{"quantity": "1", "products": {"VN": item}} for item in ("A 1/b", "B")]
    return json.dumps({"document": "order@1", "number": number, "partner": "ACME", "lines": lines}).encode()


async def test_a_field_is_put_in_before_the_document_is_routed(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, CUSTOMER)
    erp.script = answering({"/customers/ACME": {"contract": "C-17"}})  # type: ignore[assignment]
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        told = await status_becomes(hub, "1", "delivered")
        assert sent(erp)["1"]["contract"] == "C-17"
        assert [e.text for e in told.events if e.stage == "step"] == ["customer: asked erp GET /customers/ACME"]
        site.drop("b.json", order("2"))
        await status_becomes(hub, "2", "delivered")
    assert asked(erp) == ["/customers/ACME"] * 2  # without `cache` each document asks anew


async def test_an_answer_is_kept_as_long_as_the_site_says(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, CUSTOMER + ", cache: 1h")
    erp.script = answering({"/customers/ACME": {"contract": "C-17"}})  # type: ignore[assignment]
    async with site.running() as hub:
        for number in ("1", "2", "3"):
            site.drop(f"{number}.json", order(number))
            await status_becomes(hub, number, "delivered")
    assert asked(erp) == ["/customers/ACME"]


async def test_each_line_is_asked_for_by_a_field_of_its_own(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, PRICES.replace("/prices/{item}", "/prices?item={item}"))
    erp.script = answering({"/prices?item=A 1/b": {"price": 1.1}, "/prices?item=B": {"price": "2.50"}})  # type: ignore[assignment]
    async with site.running() as hub:
        site.drop("a.json", two_lines("1"))
        await status_becomes(hub, "1", "delivered")
    assert [line["price"] for line in sent(erp)["1"]["lines"]] == ["1.1", "2.50"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_unknown_refuses_the_document_or_not_as_the_site_says(
    site: SiteOnDisk, erp: Erp, status: int
) -> None:
    lay(site, CUSTOMER)
    erp.script = lambda request: Answer(status if request.path.startswith("/customers") else 201)
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        (letter,) = await dead_letters(hub, 1)
        assert letter.cause == "step customer: there is no answer to erp GET /customers/ACME"
        lay(site, CUSTOMER + ", missing: keep")
        await hub.reload()
        site.drop("b.json", order("2"))
        told = await status_becomes(hub, "2", "delivered")
        assert "contract" not in sent(erp)["2"]
        assert [e.text for e in told.events if e.stage == "step"] == [
            "customer: asked erp GET /customers/ACME, 1 unknown"
        ]


async def test_while_the_other_system_is_away_nothing_is_taken_and_nothing_is_lost(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, CUSTOMER)
    times = [0]

    def script(request: Request) -> Answer:
        if not request.path.startswith("/customers"):
            return Answer()
        times[0] += 1
        return Answer(503) if times[0] < 3 else Answer(200, b'{"contract": "C-17"}')

    erp.script = script
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        await eventually(lambda: reached(times, 1))
        assert not sent(erp)
        await status_becomes(hub, "1", "delivered")
        assert sent(erp)["1"]["contract"] == "C-17"
    assert len([r for r in erp.requests if r.path == "/orders"]) == 1


async def reached(times: list[int], least: int) -> bool:
    return times[0] >= least


async def test_at_a_destination_a_failing_question_is_retried_as_a_failing_send_is(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, CUSTOMER)
    text = (
        (site.folder / "routes/acme.yaml")
        .read_text()
        .replace(f"    steps: [{{name: customer, enrich: {{{CUSTOMER}}}}}]\n", "")
    )
    site.write("routes/acme.yaml", text)
    destinations = (site.folder / "config/destinations.yaml").read_text()
    site.write("config/destinations.yaml", destinations + f"  steps: [{{name: customer, enrich: {{{CUSTOMER}}}}}]\n")
    seen: list[str] = []

    def script(request: Request) -> Answer:
        if request.path == "/orders":
            return Answer()
        seen.append(request.path)
        return Answer(503) if len(seen) == 1 else Answer(200, b'{"contract": "C-17"}')

    erp.script = script
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        told = await status_becomes(hub, "1", "delivered")
        assert [e.stage for e in told.events if e.stage in ("retry", "step", "sent")] == ["retry", "step", "sent"]
        assert "step customer: " in next(e.text for e in told.events if e.stage == "retry")
    assert sent(erp)["1"]["contract"] == "C-17"


async def test_an_answer_that_doesnt_fit_is_refused_with_its_field(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, PRICES)
    erp.script = lambda request: Answer(200, b'{"price": "a lot"}' if "prices" in request.path else b"{}")
    async with site.running() as hub:
        site.drop(
            "a.json",
            json.dumps(
                {
                    "document": "order@1",
                    "number": "1",
                    "partner": "ACME",
                    "lines": [{"quantity": "1", "products": {"VN": "A"}}],
                }
            ).encode(),
        )
        (letter,) = await dead_letters(hub, 1)
        assert "step customer: the answer doesn't fit into the document: " in letter.cause
        assert "price" in letter.cause


async def test_a_table_of_the_site_needs_no_other_system(site: SiteOnDisk, erp: Erp) -> None:
    site.write("config/tables/customers.csv", "partner,contract\nACME,C-18\n")
    lay(site, "table: customers.csv, key: '{partner}', set: {contract: contract}")
    async with site.running() as hub:
        site.drop("a.json", order("1"))
        told = await status_becomes(hub, "1", "delivered")
        assert [e.text for e in told.events if e.stage == "step"] == ["customer: asked customers.csv ACME"]
    assert sent(erp)["1"]["contract"] == "C-18"


@pytest.mark.parametrize(
    ("enrich", "wrong"),
    [
        (PRICES + ", cache: 1h", "price changes from hour to hour: leave out `cache`, or say cache_volatile: true"),
        (CUSTOMER.replace("contract:", "contrct:"), "'contrct' is no field of a document; did you mean contract?"),
        (CUSTOMER.replace("{partner}", "{parner}"), "unknown fact parner"),
        (CUSTOMER.replace("GET", "POST"), "is no question; write GET /customers/{customer}"),
        (CUSTOMER.replace("endpoint: erp", "endpoint: epr"), "epr"),
        (CUSTOMER.replace("endpoint: erp, ", ""), "say whom to ask: either `endpoint` or `table`"),
        ("table: gone.csv, key: '{partner}', set: {contract: x}", "there is no file config/tables/gone.csv"),
        (PRICES.replace("each: lines", "each: liens"), "no document has a list 'liens'"),
    ],
)
def test_a_mistake_is_named_by_the_check(tmp_path_factory: pytest.TempPathFactory, enrich: str, wrong: str) -> None:
    site = SiteOnDisk(tmp_path_factory.mktemp("site"))
    lay(site, enrich)
    checked = SiteFolder(site.folder).check(discover(), site.environ)
    assert checked.site is None
    assert wrong in "\n".join(str(finding) for finding in checked.errors)


async def test_a_large_document_is_asked_about_and_never_read_by_the_hub_itself(tmp_path: Path, erp: Erp) -> None:
    """While a process reads it, none of its other threads goes on: a thread is no place for that. Reading 3.4 MB once
    takes 0.2 seconds of processor time, and steps read it again and again. So little is used here that nobody read it
    in this process."""
    site = SiteOnDisk(tmp_path, erp.url)
    lay(site, CUSTOMER + "}}, {name: zone, enrich: {table: zones.csv, key: '{partner}', set: {release: city}")
    site.write("config/tables/zones.csv", "partner,city\nACME,Bremen\n")
    again = CUSTOMER.replace("contract", "acknowledgment").replace("/customers", "/customers/at")
    steps = f"steps: [{{name: again, enrich: {{{again}}}}}]"
    site.write("config/destinations.yaml", f"erp:\n  file: {{folder: var/out, name: '{{number}}'}}\n  {steps}\n")
    known = {"/customers/ACME": {"contract": "C-17"}, "/customers/at/ACME": {"acknowledgment": "D-4"}}
    erp.script = answering(known)  # type: ignore[assignment]
    line = {"quantity": "2", "price": "1.5", "products": {"VN": "x" * 40, "IN": "y" * 60}}
    large = json.dumps({"document": "order@1", "number": "7", "partner": "ACME", "lines": [line] * 20_000}).encode()
    async with site.running() as hub:
        before = time.process_time()
        site.drop("large.json", large)
        await eventually(lambda: is_there(site.folder / "var/out/7"))
        used = time.process_time() - before
        told = await status_becomes(hub, "7", "delivered")
    assert [e.text for e in told.events if e.stage == "step"] == [
        "customer: asked erp GET /customers/ACME",
        "zone: asked zones.csv ACME",
        "again: asked erp GET /customers/at/ACME",
    ]
    assert [(one["answer"], one["cached"]) for event in told.events for one in event.detail.get("asked", ())] == [
        ({"contract": "C-17"}, False),
        ({"acknowledgment": "D-4"}, False),
    ]
    assert used < 1.0


@dataclass(frozen=True)
class AsksOnce:
    """Work that asks, and gives what it was answered."""

    def run(self, bench: object) -> Generator[Result, Any]:
        answered = yield Result({"questions": [{"name": "x"}], "step": 0})
        yield Result({"answers": answered.answers})


async def test_while_a_worker_waits_for_an_answer_others_have_its_place() -> None:
    pool = WorkerPool(Containment(workers=1, per_source=1), structlog.get_logger(), SystemClock())
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(head: Mapping[str, Any]) -> Answered:
        asked.set()
        await go_on.wait()
        return Answered([head["questions"][0]["name"]])

    async def away(head: Mapping[str, Any]) -> Answered:
        raise TransientError("the ERP is away", "busy")

    async def work(owner: str, ask: Ask) -> list[Result]:
        return [result async for result in pool.results(owner, None, AsksOnce(), 1, ask)]

    try:
        first = asyncio.create_task(work("slow", slow))
        await asked.wait()
        with pytest.raises(TransientError, match="the ERP is away"):
            await work("other", away)
        workers = pool.process_ids
        go_on.set()
        assert (await first)[0].head == {"answers": ["x"]}
        assert pool.process_ids == workers  # also that of the work that was given up serves again
    finally:
        await pool.close()


async def is_there(path: Path) -> bool:
    return path.exists()
