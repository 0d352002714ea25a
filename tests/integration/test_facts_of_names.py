"""What the name of a file says is a fact, at each source that has files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.sftp import SftpSource, SftpSourceOptions
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.core.ports import Arrival, Source, Taken
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.drop_box import Client, client_keys, serving
from tests.support.erp import Erp
from tests.support.openssh import OpenSsh
from tests.support.sftp import Partner
from tests.support.site import SiteOnDisk, order
from tests.support.stories import exists, status_becomes

ROUTES = """\
format: 1
owner: order-desk
sources:
  inbox:
    file: {folder: var/drop, name: "orders_{region}_*.json", settle: 0s, poll: 50ms}
    read: {json: order@1}
routes:
  - id: western
    when: {region: west, document: order}
    to: [erp]
"""
NAME = "orders_{region}_{day}.json"
FACTS = {"region": "west", "day": "2026-03-02"}


class Facts:
    """An intake that remembers the facts of what it was offered, by its name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Mapping[str, Any]] = {}

    async def __call__(self, arrival: Arrival) -> Taken:
        self.by_name[arrival.name] = dict(arrival.facts)
        return Taken(1)

    async def count(self, number: int) -> None:
        async def reached() -> bool:
            return len(self.by_name) >= number

        await eventually(reached)


@asynccontextmanager
async def offering(source: Source, take: Facts) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(take))
    yield
    task.cancel()
    await asyncio.wait({task})


async def test_a_route_goes_by_what_the_name_says(site: SiteOnDisk, erp: Erp) -> None:
    site.write("config/facts.yaml", 'region: {from: arrival.region, type: text, default: ""}\n')
    site.write("routes/acme.yaml", ROUTES)
    strange = os.fsdecode(b"orders_we\xffst_4.json")
    others = {"orders_east_2.json": "2", "others.json": "3", strange: "4", "orders_west_a\nb.json": "5"}
    async with site.running() as hub:
        for name, number in {"orders_west_1.json": "1", **others}.items():
            site.drop(name, order(number))
        await status_becomes(hub, "1", "delivered")
        for name in others:
            await eventually(lambda name=name: exists(site.folder / "var/drop/done" / name))  # type: ignore[misc]
    assert erp.numbers() == ["1"]


async def test_at_a_partner_s_server(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> None:
    take = Facts()
    partner, folder = Partner(openssh, tmp_path, journal), openssh.home / "out"
    folder.mkdir()
    for name in ("orders_west_2026-03-02.json", "other.json"):
        (folder / name).write_bytes(name.encode())
    wanted = {"endpoint": "partner", "folder": "out", "settle": "0s", "poll": "50ms", "name": NAME}
    options = SftpSourceOptions.model_validate(wanted)
    async with offering(SftpSource("inbox", options, partner.endpoint, partner.context), take):
        await take.count(2)
    assert take.by_name == {"orders_west_2026-03-02.json": FACTS, "other.json": {}}


async def test_at_the_drop_box(tmp_path: Path) -> None:
    take, keys = Facts(), client_keys(tmp_path / "keys")
    async with serving(tmp_path, take, keys, name=NAME) as port, Client(port, key=keys / "right") as client:
        await client.put("/in/orders_west_2026-03-02.json", b"1")
        await client.put("/in/other.json", b"2")
        await take.count(2)
    assert take.by_name == {"orders_west_2026-03-02.json": FACTS, "other.json": {}}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("orders.json", "has no place that becomes a fact"),
        ("{region}{day}.json", "two places without a text between them"),
        ("{number}.json", "'number' is no name that a source can give"),
    ],
)
def test_the_check_says_what_is_wrong_with_a_pattern(tmp_path: Path, name: str, wrong: str) -> None:
    site = SiteOnDisk(tmp_path)
    site.write("config/facts.yaml", 'region: {from: arrival.region, type: text, default: ""}\n')
    site.write("routes/acme.yaml", ROUTES.replace("orders_{region}_*.json", name))
    errors = [str(one) for one in SiteFolder(tmp_path).check(discover(), site.environ).errors]
    assert any(wrong in error and "routes/acme.yaml:5:" in error for error in errors), errors
