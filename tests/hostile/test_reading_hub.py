"""One hub with a source for each reader, and hostile bytes at all of them: the hub is up, others are served, and
nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.app.running_hub import RunningHub
from hub.cli.run import tune_interpreter
from hub.console.server import serving
from hub.core.identity import digest
from hub.journal import schema
from tests.hostile.test_readers import FIXED, KINDS, MAP, ROWS, attacks
from tests.support.asking_for_health import HealthAsker
from tests.support.brokers import eventually
from tests.support.site import INBOX, SiteOnDisk, order

READ = {
    "json": "read: {json: order@1}",
    "json list": "read: {json: {document: order@1, each: /}}",
    "ndjson": "read: {ndjson: order@1}",
    "xml": "read: {xml: {document: order@1, map: o.json.j2, each: /all/o}}",
    "csv": f"read: {{csv: {ROWS}}}",
    "fixed_width": f"read: {{fixed_width: {FIXED}}}",
    "x12": "read: x12",
    "gzip": "unpack: gzip\n    read: {ndjson: order@1}",
    "zip": "unpack: zip\n    read: {ndjson: order@1}",
    "mime": "unpack: mime\n    read: {ndjson: order@1}",
    "auto": "unpack: auto\n    read: {ndjson: order@1}",
}
TAKEN = ("noise", "truncated", "damaged", "one value")


def site_of(folder: Path) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (folder / name).unlink()
    sources = "".join(
        f"  {folder_of(name)}:\n    file: {{folder: var/{folder_of(name)}, settle: 0s, poll: 100ms}}\n    {read}\n"
        for name, read in READ.items()
    )
    site.write("config/partners/bolt.yaml", "partner: BOLT\nids: [{qualifier: ZZ, id: BOLT}]\n")
    site.write("config/destinations.yaml", "out: {file: {folder: var/out, name: '{number}-{source}.json'}}\n")
    site.write("routes/templates/o.json.j2", MAP["routes/templates/o.json.j2"])
    site.write("routes/acme.yaml", INBOX + sources + "routes:\n  - {id: orders, when: {document: order}, to: [out]}\n")
    return site


def folder_of(name: str) -> str:
    return name.replace(" ", "-").replace("_", "-")


def dropped(site: SiteOnDisk) -> dict[str, str]:
    """What a stranger leaves at each source: small, for the hub itself, and large, for a worker. By the digest of its
    bytes."""
    claims = {}
    for name, kind in KINDS.items():
        bodies = {
            f"{what}-{size}": body for size in (20_000, 90_000) for what, body in attacks(kind, size) if what in TAKEN
        }
        bodies["repeated"] = kind.repeated[0] * 5000
        for what, body in bodies.items():
            site.drop(f"{what}.txt", body, f"var/{folder_of(name)}")
            claims[digest(body)] = f"{name}: {what}"
    return claims


@pytest.fixture
def tuned() -> Iterator[None]:
    """The interpreter of this process as `hub run` has it: it holds far more than a hub's, and a look at all of it for
    garbage takes longer than anything that a reader does."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    tune_interpreter()
    yield
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("tuned")
async def test_hostile_bytes_at_every_reader_stop_nobody_and_none_are_lost(tmp_path: Path) -> None:
    """Another process asks for the hub's health meanwhile, and has each answer within a second; for how long the
    machine gave the hub no processor doesn't count. A late answer is measured again."""
    site, orders = site_of(tmp_path), 0
    assert READ.keys() == KINDS.keys()
    async with site.running() as hub, serving(hub, "127.0.0.1:0") as url:
        for _ in range(3):
            turns: list[float] = []
            ticking, asker = asyncio.create_task(tick(turns)), HealthAsker(url)
            try:
                orders = await read_all(site, hub, orders)
            finally:
                waits = await asyncio.to_thread(asker.stop)
                ticking.cancel()
            if max(waits) < 1 and max(turns) < 1:
                break
        assert max(turns) < 1
        assert len(waits) > 5
        assert max(waits) < 1


async def read_all(site: SiteOnDisk, hub: RunningHub, orders: int) -> int:
    """Until all that a stranger leaves has been read, while somebody sends orders; how many of them are out."""
    claims, first = await asyncio.to_thread(dropped, site), orders
    while lost := claims.keys() - await settled(hub):
        site.drop(f"{orders}.json", order(f"B{orders}", partner="BOLT"))
        orders += 1
        await asyncio.sleep(0.2)
        assert orders < first + 300, [claims[one] for one in lost]

    async def all_out() -> bool:
        left = [path for name in READ for path in (site.folder / "var" / folder_of(name)).glob("*.txt")]
        return not left and len(list((site.folder / "var/out").glob("B*-inbox.json"))) == orders

    await eventually(all_out)
    return orders


async def tick(turns: list[float]) -> None:
    """Notes for how long the loop lets nobody else go on, in processor time: so the rest of the machine doesn't
    count."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.01)
        turns.append(time.thread_time() - before)


async def settled(hub: RunningHub) -> set[str]:
    """The bytes of which something was delivered, or that are among the dead letters of their source."""
    delivered = (
        sa.select(schema.message.c.claim)
        .join(schema.effect, schema.effect.c.document_id == schema.message.c.id)
        .where(schema.effect.c.status == "delivered")
    )
    refused = sa.select(schema.dead_letter.c.body).where(schema.dead_letter.c.kind == "source")

    async def read(connection: object) -> set[str]:
        found: set[str] = set()
        for query in (delivered, refused):
            found |= set((await connection.execute(query)).scalars())  # type: ignore[attr-defined]
        return found

    return await hub.journal.read(read)
