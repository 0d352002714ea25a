"""`gather`: documents that wait for each other, and go to a destination in one message of the site's making."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.journal.batches.batches import Batches
from tests.support.batch_stories import let_time_pass
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import dead_letters, status_becomes

DESTINATION = """\
erp:
  rest: {endpoint: erp, call: POST /orders}
  retry: fast
  gather: {by: [partner], max: 3, within: 5m}
  write: {csv: {rows: rows.json.j2, columns: [order, quantity], line_end: lf}}
"""
ROWS = """[{% for order in document.documents %}{% for line in order.lines %}
{"order": {{ order.number | tojson }}, "quantity": {{ line.quantity | tojson }}}{{ "," if not loop.last }}{% endfor %}{{ "," if not loop.last }}{% endfor %}]"""  # noqa: E501


def lay(site: SiteOnDisk, destination: str = DESTINATION) -> None:
    site.write("config/destinations.yaml", destination)
    site.write("routes/templates/rows.json.j2", ROWS)
    text = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", text.replace("when: {document: order, partner: ACME}", "when: {document: order}"))


async def dropped(hub: RunningHub, site: SiteOnDisk, status: str, *numbers: str, partner: str = "ACME") -> None:
    for number in numbers:
        site.drop(f"{number}.json", order(number, partner=partner))
    for number in numbers:
        await status_becomes(hub, number, status)


async def test_as_many_as_the_site_says_go_in_one_message(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    async with site.running() as hub:
        await dropped(hub, site, "batched", "1", "2")
        assert not erp.requests
        await dropped(hub, site, "delivered", "3")
        told = await status_becomes(hub, "1", "delivered")
        (request,) = erp.requests
        assert sorted(request.body.decode().splitlines()[1:]) == ["1,2", "2,2", "3,2"]
        (said,) = [e.text for e in told.events if e.stage == "sent"]
        assert re.match(r"batch [0-9a-f]{12}, document [123]: sent", said)


async def test_what_has_waited_long_enough_goes_and_only_with_its_like(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    async with site.running() as hub:
        await dropped(hub, site, "batched", "1", "2")
        await dropped(hub, site, "batched", "3", partner="OTHER")
        await let_time_pass(hub, 301.0)
        for number in ("1", "2", "3"):
            await status_becomes(hub, number, "delivered")
        bodies = sorted(request.body.decode().splitlines()[1:] for request in erp.requests)
        assert [sorted(body) for body in bodies] == [["1,2", "2,2"], ["3,2"]]


async def test_a_message_that_fails_is_retried_as_it_is(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    erp.script = lambda request: Answer(503) if request.times < 3 else Answer()
    async with site.running() as hub:
        await dropped(hub, site, "delivered", "1", "2", "3")
        assert len({(request.key, request.body) for request in erp.requests}) == 1
        assert len(erp.requests) == 3


async def test_when_the_site_gathers_no_more_what_waits_goes_alone(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    async with site.running() as hub:
        await dropped(hub, site, "batched", "1", "2")
        plain = DESTINATION.replace("  gather: {by: [partner], max: 3, within: 5m}\n", "").partition("  write:")[0]
        site.write("config/destinations.yaml", plain)
        await hub.reload()
        for number in ("1", "2"):
            told = await status_becomes(hub, number, "delivered")
        assert sorted(erp.numbers()) == ["1", "2"]
        assert any("they are not gathered any more" in str(event.text) for event in told.events)


async def test_what_was_closed_before_the_site_gathered_no_more_goes_alone_too(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    async with site.running() as hub:
        await dropped(hub, site, "batched", "1", "2")
        batches = Batches(hub.journal)
        (waiting,) = await batches.waiting()
        plain = DESTINATION.replace("  gather: {by: [partner], max: 3, within: 5m}\n", "").partition("  write:")[0]
        site.write("config/destinations.yaml", plain)
        now = hub.runtime.clock()
        assert await batches.close(waiting, 3, now, now) is not None  # and here it was killed
        await hub.reload()
        for number in ("1", "2"):
            await status_becomes(hub, number, "delivered")
        assert sorted(erp.numbers()) == ["1", "2"]


async def test_two_routes_that_take_a_document_once_are_both_done(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    text = (site.folder / "routes/acme.yaml").read_text()
    first = "  - id: orders\n    when: {document: order}\n"
    assert first in text
    second = "  - id: more\n    when: {document: order}\n    once: [partner, number]\n    to: [erp]\n"
    site.write("routes/acme.yaml", text.replace(first, f"{first}    once: [partner, number]\n") + second)
    async with site.running() as hub:
        await dropped(hub, site, "delivered", "1", "2", "3")
        told = await status_becomes(hub, "1", "delivered")
        assert {key.route: key.status for key in told.once} == {"orders": "done", "more": "done"}


async def test_one_that_cant_be_written_is_dead_alone(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    site.write(
        "routes/templates/rows.json.j2",
        ROWS.replace("order.lines", "(order.lines if order.number != '2' else nothing)"),
    )
    async with site.running() as hub:
        await dropped(hub, site, "batched", "1")
        await dropped(hub, site, "dead", "2")
        (letter,) = await dead_letters(hub, 1)
        assert "nothing" in letter.cause
        await dropped(hub, site, "delivered", "3", "4")
        (request,) = erp.requests
        assert sorted(request.body.decode().splitlines()[1:]) == ["1,2", "3,2", "4,2"]


async def test_without_a_writer_the_documents_go_as_they_are(site: SiteOnDisk, erp: Erp) -> None:
    lay(site, DESTINATION.partition("  write:")[0].replace("max: 3", "max: 2"))
    async with site.running() as hub:
        await dropped(hub, site, "delivered", "1", "2")
        (request,) = erp.requests
        whole = json.loads(request.body)
        assert whole["document"] == "batch@1"
        assert sorted(document["number"] for document in whole["documents"]) == ["1", "2"]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("by: [partner]", "by: [parner]", "unknown fact parner"),
        ("max: 3", "max: 1", "max"),
        ("within: 5m", "within: soon", "within"),
        ("  retry: fast\n", "  retry: fast\n  answer: true\n", "`answer` or `gather`"),
        (
            "  retry: fast\n",
            "  retry: fast\n  steps: [{name: a, filter: total > 1}]\n",
            "have no steps at the destination",
        ),
        ("{csv: {rows: rows.json.j2, columns: [order, quantity], line_end: lf}}", "{x12: ACME}", "its agreement says"),
    ],
)
def test_a_mistake_is_named_by_the_check(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str, wrong: str
) -> None:
    site = SiteOnDisk(tmp_path_factory.mktemp("site"))
    assert old in DESTINATION
    lay(site, DESTINATION.replace(old, new))
    checked = SiteFolder(site.folder).check(discover(), site.environ)
    assert checked.site is None
    assert wrong in "\n".join(str(finding) for finding in checked.errors)


def test_steps_beside_the_batches_of_an_agreement_are_refused(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    agreed = (
        'we: {qualifier: "01", id: "068717859"}\nx12: {version: "004010", send: ["850"], batch: {max: 50, wait: 5m}}\n'
    )
    site.write("config/partners/acme.yaml", f'partner: ACME\nids: [{{qualifier: "01", id: "043645501"}}]\n{agreed}')
    lay(site, 'erp:\n  file: {folder: var/out}\n  write: {x12: ACME}\n  steps: [{name: a, filter: "total > 1"}]\n')
    checked = SiteFolder(tmp_path).check(discover(), site.environ)
    assert "have no steps at the destination" in "\n".join(str(finding) for finding in checked.errors)
