"""Every kind of source, with the hub killed at each hand-over behind it: nothing is lost, and nothing that was recorded
is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.crashing_hub import SOURCE_POINTS
from tests.support.erp import Erp
from tests.support.hub_forks import HubForks
from tests.support.kills import Kills, rows_of
from tests.support.moto_store import moto_bucket
from tests.support.order_peers import (
    DropBoxPeer,
    FilePeer,
    HttpPeer,
    OrderPeer,
    QueuePeer,
    RedisPeer,
    SftpPeer,
    SoapPeer,
    StorePeer,
    StreamPeer,
)
from tests.support.shop_peer import ShopPeer
from tests.support.site import SiteOnDisk

pytestmark = [
    pytest.mark.crash,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),  # kombu's and moto's
]

ON_RABBITMQ = ("exchange", "stream")
KINDS = ("file", "store", "sftp", "bridge", "exchange", "stream", "sftp_server", "http", "soap", "rest")


@pytest.fixture
def site(tmp_path: Path, erp: Erp) -> SiteOnDisk:
    return SiteOnDisk(tmp_path / "site", erp.url)


@pytest.fixture(
    params=[pytest.param(kind, marks=pytest.mark.rabbitmq if kind in ON_RABBITMQ else ()) for kind in KINDS]
)
def peer(request: pytest.FixtureRequest, site: SiteOnDisk) -> Iterator[OrderPeer]:
    def server(fixture: str) -> object:
        return request.getfixturevalue(fixture)

    with ExitStack() as stack:
        made: OrderPeer = {
            "file": lambda: FilePeer(site),
            "store": lambda: StorePeer(stack.enter_context(moto_bucket())),
            "sftp": lambda: SftpPeer(server("openssh")),
            "bridge": lambda: RedisPeer(server("redis_server")),
            "exchange": lambda: QueuePeer(server("amqp_vhost")),
            "stream": lambda: StreamPeer(server("amqp_vhost"), site),
            "sftp_server": lambda: DropBoxPeer(site),
            "http": lambda: HttpPeer(),
            "soap": lambda: SoapPeer(site),
            "rest": ShopPeer,
        }[request.param]()
        stack.callback(made.close)
        site.environ |= made.environ
        yield made


def write(site: SiteOnDisk, source: str, read: str, endpoint: str = "") -> None:
    endpoints = site.folder / "config/endpoints.yaml"
    endpoints.write_text(endpoints.read_text() + endpoint)
    site.write(
        "routes/acme.yaml",
        f"format: 1\nowner: order-desk\nsources:\n  inbox:\n    {source}\n    read: {read}\n"
        "routes:\n  - {id: orders, when: {document: order, partner: ACME}, to: [erp]}\n",
    )


def test_a_kill_at_each_hand_over_behind_a_source_loses_and_repeats_nothing(
    site: SiteOnDisk, peer: OrderPeer, erp: Erp, forks: HubForks
) -> None:
    write(site, peer.source, peer.read, peer.endpoint)
    kills, numbers = Kills(site, forks, erp), set()
    for step, named in enumerate(SOURCE_POINTS):
        point = "after_send" if peer.is_handed_over and named == "confirm" else named  # no queue has it
        fed = [f"{1000 + 10 * step + n}" for n in range(6)]
        peer.feed(fed)
        numbers |= set(fed)
        kills.at(f"{point}:{1 if point == 'acknowledged' and peer.acknowledges_together else 2}")
    least = len(numbers) - peer.may_lose * len(SOURCE_POINTS)
    kills.finish(
        (lambda: len(set(erp.numbers())) >= least and peer.empty(), "an order is lost, or left at the source"),
        (lambda: len(kills.keys()) == len(set(erp.numbers())), "an effect is not recorded"),
    )
    assert set(erp.numbers()) <= numbers
    assert peer.empty()


def test_a_kill_at_each_hand_over_behind_a_clock_forgets_no_firing(site: SiteOnDisk, erp: Erp, forks: HubForks) -> None:
    """Once a second, and those that nobody was there for are made up for."""
    lines = '[{"number": "1", "quantity": "2", "unit": "EA", "price": "9.50"}]'
    emit = f'{{"number": "{{at}}", "partner": "ACME", "lines": {lines}}}'
    write(site, f"schedule: {{cron: '* * * * * *', missed: all, emit: '{emit}'}}", "{json: order@1}")
    kills = Kills(site, forks, erp)
    for point in SOURCE_POINTS:
        kills.at(f"{point}:2")

    def begun() -> datetime:
        return min(datetime.fromisoformat(number) for number in erp.numbers())

    def remembered() -> datetime:
        ((value,),) = rows_of(site, "SELECT value FROM memory WHERE name = 'last'")
        return datetime.fromisoformat(value)

    goal = remembered() + timedelta(seconds=1)
    kills.finish((lambda: remembered() > goal and len(kills.keys()) == len(set(erp.numbers())), "it fires no more"))
    seconds = {datetime.fromisoformat(number) for number in erp.numbers()}
    assert seconds >= {begun() + timedelta(seconds=n) for n in range(int((goal - begun()).total_seconds()))}
