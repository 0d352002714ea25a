"""One document, one address: what it is called is stored before the first attempt, whatever a template says later."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.stories import status_becomes

DESTINATIONS = """\
erp:
  rest: {{endpoint: erp, call: "PUT /{path}"}}
  retry: fast
copies:
  file: {{folder: var/out, name: "{name}"}}
  retry: fast
"""
ROUTES = """\
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp, copies]
"""


def address(site: SiteOnDisk, path: str, name: str) -> None:
    site.write("config/destinations.yaml", DESTINATIONS.format(path=path, name=name))


async def test_an_edit_or_an_upgrade_between_two_attempts_never_sends_to_a_second_address(
    tmp_path: Path, erp: Erp
) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    site.write(
        "config/policies.yaml",
        "retry:\n  fast: {delays: [" + ", ".join(["500ms"] * 20) + "], on: [unreachable, busy]}\n",
    )
    routes = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", routes[: routes.index("routes:")] + ROUTES)
    address(site, "orders/{number}", "{number}.json")
    numbers = ("PO_1", "PO 1", "PO/1", "UP 9")
    erp.script = lambda request: Answer(503)
    (site.folder / "var").mkdir(exist_ok=True)
    (site.folder / "var/out").write_text("in the way of the folder")
    async with site.running() as hub:
        for place, number in enumerate(numbers):
            site.drop(f"{place}.json", order(number))
        for number in numbers:
            await status_becomes(hub, number, "retrying", "erp")
            await status_becomes(hub, number, "retrying", "copies")
        await hub.journal.change(forget_address)  # as if a release that stored none had begun it
        address(site, "v2/{partner}/{number}", "{partner}-{number}.json")
        await hub.reload()
        (site.folder / "var/out").unlink()
        erp.script = lambda request: Answer()
        for number in numbers:
            await status_becomes(hub, number, "delivered", "erp")
            await status_becomes(hub, number, "delivered", "copies")
    stored = {"/orders/PO%201", "/orders/PO%2F1", "/orders/PO_1"}
    assert {request.method for request in erp.requests} == {"PUT"}
    bodies = {request.path: request.number for request in erp.requests}
    assert [bodies[path] for path in ("/orders/PO_1", "/orders/PO%201", "/orders/PO%2F1")] == ["PO_1", "PO 1", "PO/1"]
    assert {request.path for request in erp.requests} == {*stored, "/orders/UP%209", "/v2/ACME/UP_9"}
    names = sorted(path.name.partition("~")[0] for path in (site.folder / "var/out").iterdir())
    assert names == ["ACME-UP_9.json", "PO_1", "PO_1", "PO_1.json"]


async def forget_address(connection: AsyncConnection) -> None:
    mine = sa.select(schema.message.c.id).where(schema.message.c.number == "UP 9").scalar_subquery()
    await connection.execute(sa.update(schema.effect).where(schema.effect.c.document_id == mine).values(address=None))
