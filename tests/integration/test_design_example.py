"""The example by which the formats were designed: it is checked as it stands, and runs against an OpenSSH server, an
ERP and the embedded broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.core.message import Message
from hub.core.ports import FileBody
from hub.core.topology import Binding, Exchange, Queue, Topology
from hub.documents import ShipNotice, to_json
from hub.journal.deliveries.decisions import Decisions
from tests.golden.x12_files import read
from tests.support.answers import ack_becomes
from tests.support.brokers import Inbox, eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.openssh import OpenSsh
from tests.support.site import SiteOnDisk
from tests.support.stories import dead_letters, status_becomes

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests/fixtures/design_example"
FILES = sorted(path.relative_to(EXAMPLE).as_posix() for path in EXAMPLE.rglob("*.yaml"))
SHIPPED = ROOT / "routes"
SHOP = "WEB-7781342"
TOKEN = "a-token-of-the-erp"
FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrYPjmYvZPvoFYvJbS0cYxCs"

WAREHOUSE = """\
format: 1
owner: warehouse
sources:
  wms:
    exchange: {name: wms.events, key: shipment.closed}
    read: {json: ship_notice@1}
"""
"""Beside the example: without it nobody has a ship notice for ACME."""


class DesignSite(SiteOnDisk):
    """The example, with the few values that only real servers know, and without its long pauses."""

    def __init__(self, folder: Path, erp: str, changes: dict[str, dict[str, str]]) -> None:
        super().__init__(folder)
        for name in FILES:
            self.write(name, changed((EXAMPLE / name).read_text(), changes.get(name, {})))
        for name in ("templates/order-to-erp.json.j2", "schemas/erp-order.schema.json"):
            self.write(f"routes/{name}", (SHIPPED / name).read_text())
        self.environ |= {"ERP_URL": erp, "ERP_TOKEN": TOKEN, "ACME_KEY_FILE": "no/key"}


Drop = Callable[[bytes, str], None]


def changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def site(tmp_path: Path, erp: Erp, openssh: OpenSsh) -> DesignSite:
    for name in ("outbound", "outbound/done", "inbound"):
        (openssh.home / name).mkdir()
    made = DesignSite(
        tmp_path / "site",
        erp.url,
        {
            "config/hub.yaml": {"127.0.0.1:8025": '"127.0.0.1:0"'},
            "config/endpoints.yaml": {
                "host: sftp.acme.example, user: hub": f"host: 127.0.0.1, port: {openssh.port}, user: {openssh.user}",
                "SHA256:...": openssh.fingerprint,
            },
            "config/policies.yaml": {"[30s, 2m, 10m, 30m, 1h]": "[200ms, 2m]"},
            "config/destinations.yaml": {"folder: /inbound": "folder: inbound"},
            "routes/acme.yaml": {"/outbound": "outbound", "settle: 30s": "settle: 0s, poll: 100ms"},
        },
    )
    made.environ["ACME_KEY_FILE"] = str(openssh.key)
    made.write("routes/warehouse.yaml", WAREHOUSE)
    return made


@pytest.fixture
async def hub(site: DesignSite) -> AsyncIterator[RunningHub]:
    async with site.running() as running:
        yield running


@pytest.fixture
def drop(openssh: OpenSsh) -> Drop:
    """ACME leaves a file in its outbox."""

    def put(body: bytes, name: str) -> None:
        part = openssh.home / "outbound" / f"{name}.tmp"
        part.write_bytes(body)
        part.rename(part.with_suffix(""))

    return put


def test_the_check_takes_it_as_it_stands(tmp_path: Path) -> None:
    """But for the host key, which the example leaves out, and their own key, which this host doesn't have."""
    made = DesignSite(tmp_path, "http://127.0.0.1:9", {"config/endpoints.yaml": {"SHA256:...": FINGERPRINT}})
    checked = SiteFolder(made.folder).check(discover(), made.environ)
    assert [finding.text for finding in checked.findings] == [
        "there is no file ${ACME_KEY_FILE} on this host",
        "hold inventory_shortfall is used by nothing",
    ]
    assert checked.site is not None
    assert (list(checked.site.sources), list(checked.site.destinations)) == (
        ["acme-inbox", "shop-orders"],
        ["erp", "approvals", "acme-out"],
    )


async def test_orders_go_where_their_content_says_each_once(
    hub: RunningHub, drop: Drop, erp: Erp, openssh: OpenSsh
) -> None:
    erp.script = judge
    desk = await approval_desk(hub)
    for name in ("small", "large", "credit", "rush"):
        drop(shipped(name), f"{name}.edi")
    drop(shipped("small"), "small-again.edi")
    await status_becomes(hub, "104582", "delivered", "erp")
    await status_becomes(hub, "104588", "held", "erp")
    rushed = await status_becomes(hub, "104587", "delivered", "erp")
    assert rushed.effects[0].attempts == 2
    assert json.loads((await desk.next()).message.body)["number"] == "104583"
    (held,) = await Decisions(hub.journal).holds(("open",))
    assert (held.name, held.owner, held.number) == ("credit_hold", "finance-ops", "104588")
    done = openssh.home / "outbound/done"
    await eventually(lambda: asyncio.sleep(0, len(list(done.iterdir())) == 5))
    inbound = openssh.home / "inbound"
    await eventually(lambda: asyncio.sleep(0, sum(path.match("997_*.edi") for path in inbound.iterdir()) == 4))
    assert sorted(erp.numbers()) == ["104582", "104587", "104587", "104588"]
    assert {request.headers["Authorization"] for request in erp.requests} == {f"Bearer {TOKEN}"}


async def test_what_the_shop_publishes_is_taken_and_somebody_elses_order_is_kept(hub: RunningHub) -> None:
    await hub.broker.publish("shop.events", "order.placed", Message("", shop_order("ACME")))
    await status_becomes(hub, SHOP, "delivered", "erp")
    await hub.broker.publish("shop.events", "order.placed", Message("", shop_order("BOLT")))
    (letter,) = await dead_letters(hub, 1, kind="unmatched")
    assert (letter.number, letter.partner) == (SHOP, "BOLT")


async def test_a_ship_notice_goes_to_acme_as_an_856_and_their_997_comes_back(
    hub: RunningHub, drop: Drop, openssh: OpenSsh
) -> None:
    (reading,) = read(FileBody(SHIPPED / "fixtures/acme-856-shipment.edi"))
    assert isinstance(reading.document, ShipNotice)
    notice = reading.document.model_copy(update={"partner": "ACME"})
    await hub.broker.publish("wms.events", "shipment.closed", Message("", to_json(notice)))
    await status_becomes(hub, notice.number, "delivered", "acme-out")
    sent = openssh.home / "inbound/856_000000001.edi"
    assert sent.read_bytes().count(b"HL*") == len(list(notice.walk()))
    drop(acknowledgment(), "997.edi")
    assert (await ack_becomes(hub, "accepted")).transaction_set == "856"


async def approval_desk(hub: RunningHub) -> Inbox:
    """Whoever approves subscribes to what the example publishes."""
    exchange, queue = Exchange("orders.approval"), Queue("desk.approvals")
    await hub.broker.declare(Topology((exchange,), (queue,), (Binding(exchange.name, queue.name, "ACME"),)))
    inbox = Inbox(ack=True)
    await hub.broker.consume(queue.name, inbox)
    return inbox


def acknowledgment() -> bytes:
    """ACME's 997 for our first group of ship notices."""
    segments = (
        (
            "ISA*00*          *00*         "
            f" *01*{'043645501':<15}*01*{'068717859':<15}*260306*0815*U*00401*000000077*0*P*>"
        ),
        "GS*FA*043645501*068717859*20260306*0815*77*X*004010",
        "ST*997*0001",
        "AK1*SH*1",
        "AK9*A*1*1*1",
        "SE*4*0001",
        "GE*1*77",
        "IEA*1*000000077",
    )
    return "".join(f"{segment}~" for segment in segments).encode()


def shop_order(partner: str) -> bytes:
    found = json.loads((SHIPPED / "fixtures/shop-order.json").read_bytes())
    return json.dumps({**found, "partner": partner}).encode()


def shipped(name: str) -> bytes:
    return (SHIPPED / f"fixtures/acme-850-{name}.edi").read_bytes()


def judge(request: Request) -> Answer:
    """Credit is short for one order; for another the first answer is busy."""
    if request.number == "104588":
        return Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')
    return Answer(503 if request.number == "104587" and request.times == 1 else 201)
