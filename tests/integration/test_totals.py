"""Totals that contradict their lines, by the agreements of three partners: one warns, one refuses (with an 824), one
holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.journal.deliveries.decisions import Decisions
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk
from tests.support.stories import dead_letters, status_becomes, story
from tests.unit.transformers.x12_text import interchange

SENDERS = {"WARN": "1111", "REFUSE": "2222", "HOLD": "3333"}
PARTNER = """\
partner: {name}
ids: [{{qualifier: "01", id: "{id}"}}]
we: {{qualifier: "01", id: "068717859"}}
x12: {{send: ["810", "824", "997"], acknowledge: {{with: "997"}}, totals: {totals}{more}}}
"""
DESTINATIONS = """\
orders: {file: {folder: var/orders, name: "{number}.json"}}
desk: {file: {folder: var/desk, name: "{number}.json"}}
"""
ROUTES = """\
format: 1
owner: order-desk
sources:
  edi: {file: {folder: var/edi, settle: 0s, poll: 50ms}, read: x12}
  invoices: {file: {folder: var/invoices, settle: 0s, poll: 50ms}, read: {json: invoice@1}}
routes:
  - {id: orders, when: {document: order, test: [false, true]}, to: [orders, desk]}
"""


@pytest.fixture
def site(tmp_path: Path) -> SiteOnDisk:
    made = SiteOnDisk(tmp_path)
    made.write("config/policies.yaml", "holds:\n  wrong_totals: {owner: order-desk}\n")
    made.write("config/endpoints.yaml", "{}\n")
    (made.folder / "config/partners/acme.yaml").unlink()
    destinations, routes = DESTINATIONS, ROUTES
    for name, totals in (("WARN", "warn"), ("REFUSE", "refuse"), ("HOLD", "{hold: wrong_totals}")):
        more = ", batch: {max: 2, wait: 1s}" if name == "HOLD" else ""
        text = PARTNER.format(name=name, id=SENDERS[name], totals=totals, more=more)
        made.write(f"config/partners/{name.lower()}.yaml", text)
        out = f"{name.lower()}-out"
        destinations += (
            f'{out}: {{file: {{folder: var/{out}, name: "{{set}}_{{control_number}}.edi"}}, write: {{x12: {name}}}}}\n'
        )
        routes += f"  - {{id: invoices-{name.lower()}, when: {{document: invoice, partner: {name}}}, to: [{out}]}}\n"
    made.write("config/destinations.yaml", destinations)
    made.write("routes/acme.yaml", routes)
    return made


def order(number: str, sender: str, lines: int) -> bytes:
    inner = [f"ST*850*{1:04}", f"BEG*00*SA*{number}**20260302", "PO1*1*10*EA*5.50**VN*A1", f"CTT*{lines}", "SE*5*0001"]
    return interchange([inner], sender=SENDERS[sender], control=int(number)).encode()


def invoice(number: str, partner: str) -> bytes:
    line = {"number": "1", "quantity": "10", "unit": "EA", "price": "9.50", "products": {"VN": "A1"}}
    totals = {"amount": "1.00", "lines": 7}
    head = {"document": "invoice@1", "number": number, "partner": partner, "date": "2026-03-02"}
    return json.dumps({**head, "lines": [line], "totals": totals}).encode()


async def sent(site: SiteOnDisk, partner: str, name: str) -> str:
    folder = site.folder / "var" / f"{partner.lower()}-out"

    async def there() -> bool:
        return any(folder.glob(f"{name}_*"))

    await eventually(there)
    return next(folder.glob(f"{name}_*")).read_text()


async def test_wrong_totals_are_warned_of_refused_or_held_as_agreed_in_both_directions(site: SiteOnDisk) -> None:
    async with site.running() as hub:
        for number, partner in (("101", "WARN"), ("102", "REFUSE"), ("103", "HOLD")):
            site.drop(f"{number}.edi", order(number, partner, 5), "var/edi")
        site.drop("104.edi", order("104", "HOLD", 1), "var/edi")
        for number, partner in (("201", "WARN"), ("202", "REFUSE"), ("203", "HOLD")):
            site.drop(f"{number}.json", invoice(number, partner), "var/invoices")

        warned = await status_becomes(hub, "101", "delivered", "orders")
        (matched,) = [e for e in warned.events if e.stage == "matched"]
        assert matched.detail["warnings"] == ["CTT01 is 5, and the number of lines is 1 (totals.lines)"]
        billed = await status_becomes(hub, "201", "delivered", "warn-out")
        assert [e.text for e in billed.events if e.stage == "step"] == [
            "write: warning: CTT01 is 7, and the number of lines is 1 (totals.lines); it was counted anew",
            "write: warning: TDS01 is 1.00, and the lines come to 95.00 (totals.amount)",
        ]
        assert "TDS*100~CTT*1~" in await sent(site, "WARN", "810")

        letters = {letter.number: letter.cause for letter in await dead_letters(hub, 2)}
        assert set(letters) == {"102", "202"}
        assert all("its totals contradict its lines" in cause for cause in letters.values())
        assert "AK5*A~" in await sent(site, "REFUSE", "997")
        advice = await sent(site, "REFUSE", "824")
        assert "OTI*TR*PO*102*" in advice
        assert "TED*010*CTT01 is 5, and the number of lines is 1*CTT*4*1*354*5~" in advice

        for number, destination in (("103", "orders"), ("103", "desk"), ("203", "hold-out")):
            await status_becomes(hub, number, "held", destination)
        await status_becomes(hub, "104", "delivered", "orders")
        assert "AK5*A~" in await sent(site, "HOLD", "997")
        assert not (site.folder / "var/orders/103.json").exists()
        holds = await Decisions(hub.journal).holds(("open",))
        assert {(hold.name, hold.owner) for hold in holds} == {("wrong_totals", "order-desk")}
        assert (await hub.replay.release([hold.id for hold in holds], "ann", "they called"))["released"] == 3
        await status_becomes(hub, "103", "delivered", "orders")
        await status_becomes(hub, "103", "delivered", "desk")
        assert "TDS*100~CTT*1~" in await sent(site, "HOLD", "810")
        assert (await story(hub, "103")).events


def test_what_an_agreement_asks_for_has_to_be_there(site: SiteOnDisk) -> None:
    path = site.folder / "config/partners/hold.yaml"
    path.write_text(path.read_text().replace("wrong_totals", "wrong_total"))
    refusing = site.folder / "config/partners/refuse.yaml"
    refusing.write_text(refusing.read_text().replace('acknowledge: {with: "997"}, ', ""))
    done = site.cli("check")
    assert "there is no hold 'wrong_total'" in done.stdout + done.stderr
    assert "totals: an 824 goes to them as acknowledgments do" in done.stdout + done.stderr
