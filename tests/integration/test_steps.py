"""Formats and steps on the whole way: a packed CSV file becomes orders, and each step of the source is seen."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import SiteOnDisk
from tests.support.stories import exists, status_becomes, story

ROUTES = """\
format: 1
owner: order-desk
sources:
  inbox:
    file: {folder: var/drop, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    unpack: auto
    read: {csv: {document: order@1, map: rows.json.j2, group: [order], types: {qty: integer, price: decimal}}}
    steps:
      - {name: ours, filter: "partner == 'ACME'"}
      - {name: units, map: units.json.j2}
      - {name: whole, validate: {that: {an order is worth something: total > 0, it has a number: "number != ''"}}}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp]
"""
ROWS = """{"number": "{{ body.order }}", "partner": "{{ body.partner }}", "lines": [{% for row in rows %}
{"quantity": {{ row.qty | tojson }}, "price": {{ row.price | tojson }}, "unit": "each"}{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
UNITS = """\
{"number": "{{ document.number }}", "partner": "{{ document.partner }}", "lines": [{% for line in document.lines %}
{"quantity": {{ line.quantity | tojson }}, "price": {{ line.price | tojson }}, "unit": "{{ line.unit | table('uom') }}"}{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501
CSV = "order,partner,qty,price\n1,ACME,2,3.50\n1,ACME,1,1\n2,OTHER,1,1\n3,ACME,1,0\n4,ACME,two,1\n"


def lay(site: SiteOnDisk, routes: str = ROUTES) -> None:
    site.write("routes/acme.yaml", routes)
    site.write("routes/templates/rows.json.j2", ROWS)
    site.write("routes/templates/units.json.j2", UNITS)
    site.write("config/tables/uom.csv", "shop,edi\neach,EA\n")


async def test_a_packed_file_of_rows_becomes_orders_and_each_step_is_seen(site: SiteOnDisk, erp: Erp) -> None:
    lay(site)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("orders.csv", CSV)
    async with site.running() as hub:
        site.drop("a.zip", packed.getvalue())
        told = await status_becomes(hub, "1", "delivered")
        assert [event.stage for event in told.events if event.stage in ("step", "sent")] == ["step", "sent"]
        assert erp.numbers() == ["1"]
        assert b'"unit":"EA"' in erp.requests[0].body
        await eventually(lambda: exists(site.folder / "var/drop/done/a.zip"))
        other = await story(hub, "2")
        assert [(e.stage, e.text) for e in other.events if e.stage in ("step", "filtered")] == [
            ("step", "ours: filtered out: not partner == 'ACME'"),
            ("filtered", None),
        ]
    assert "step whole: not so: an order is worth something" in (site.folder / "hub.log").read_text()
    assert "row 6, column qty: found 'two', expected an integer" in (site.folder / "hub.log").read_text()


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("partner == 'ACME'", "partnr == 'ACME'", "partnr"),
        ("units.json.j2", "gone.json.j2", "there is no file routes/templates/gone.json.j2"),
        ("name: units", "name: ours", "two steps are called ours"),
        ("{name: units, ", "{", "a step needs a `name`"),
        ("units, map:", "units, mop:", "there is no step plug-in 'mop'"),
        ("unpack: auto", "unpack: gzp", "`unpack` can't be 'gzp'"),
    ],
)
def test_the_check_finds_steps_that_cannot_be(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    site = SiteOnDisk(tmp_path)
    lay(site, ROUTES.replace(old, new))
    checked = SiteFolder(site.folder).check(discover(), site.environ)
    assert any(wrong in str(finding) for finding in checked.errors), [str(one) for one in checked.findings]
