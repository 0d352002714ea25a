"""What a document costs in the journal: bytes and rows by table and index, of documents that were delivered at once.

    python -m benchmarks.journal_bytes [--documents 1000] [--json]

Each case runs on a hub of its own (embedded broker, SQLite). The bytes are those of whole pages of the file, without
the bodies of claims; these are told beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.end_to_end import make_order
from hub.app.running_hub import RunningHub
from hub.core.message import Message
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk

SAMPLE = Path(__file__).parent.parent / "routes/fixtures/acme-850-small.edi"
HEADERS = {"Content-Type": "application/json", "Location": "/orders/1", "X-Request-Id": "5f0c2d7e", "Server": "erp"}
PATIENCE = 300.0
PAGE = 4096
"""Bytes of a table that holds nothing."""

ROUTES = """\
format: 1
owner: bench
sources:
  inbox:
    file: {folder: var/drop, settle: 0s, poll: 50ms}
    read: x12
  shop:
    exchange: {name: bench.in, key: order}
    read: {json: order@1}
routes:
  - {id: files, when: {document: order, source: inbox}, once: [partner, number], to: [erp]}
  - {id: orders, when: {document: order, source: shop}, ONCEto: [OUT]}
"""

ONCE = "once: [partner, number], "

Feed = Callable[[SiteOnDisk, RunningHub, int], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    title: str
    feed: Feed
    once: str = ONCE
    to: str = "erp"


@dataclass(frozen=True)
class Size:
    """Of a table or an index, by document."""

    name: str
    table: str
    bytes: float
    rows: float
    is_used: bool


async def files(site: SiteOnDisk, hub: RunningHub, documents: int) -> None:
    text = SAMPLE.read_text()
    for number in range(documents):
        own = text.replace("000001042", f"{100_000_000 + number}").replace("104582", str(1_000_000 + number))
        site.drop(f"acme_{number:06}.edi", own.encode())


async def messages(site: SiteOnDisk, hub: RunningHub, documents: int) -> None:
    for number in range(documents):
        message = Message(f"shop-{number:06}", make_order(1_000_000 + number))
        await hub.broker.publish("bench.in", "order", message)


CASES = (
    Case("X12 850 files, once, to REST with a reply", files),
    Case("JSON orders of an exchange, once, to REST with a reply", messages),
    Case("JSON orders of an exchange, to an exchange", messages, once="", to="out"),
)


async def run(case: Case, documents: int) -> list[Size]:
    replies = Erp(lambda request: Answer(201, b'{"id": "SO-%s"}' % request.number.encode(), HEADERS))
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder, replies.serving() as erp:
        site = SiteOnDisk(Path(folder), erp.url)
        site.write(
            "config/destinations.yaml",
            "erp:\n  rest: {endpoint: erp, call: POST /orders}\n"
            "out:\n  exchange: {name: bench.out, key: all, queue: bench.out}\n",
        )
        site.write("routes/acme.yaml", ROUTES.replace("ONCE", case.once).replace("OUT", case.to))
        async with site.running() as hub:
            await case.feed(site, hub, documents)
            async with asyncio.timeout(PATIENCE):
                while delivered(site) < documents:
                    await asyncio.sleep(0.2)
        return sizes(site, documents)


def opened(site: SiteOnDisk) -> sqlite3.Connection:
    return sqlite3.connect(site.folder / "var/hub.db", timeout=30)


def delivered(site: SiteOnDisk) -> int:
    with closing(opened(site)) as journal:
        return int(journal.execute("SELECT count(*) FROM effect WHERE status = 'delivered'").fetchone()[0])


def sizes(site: SiteOnDisk, documents: int) -> list[Size]:
    """Largest first; the bodies of claims are the table `bodies`."""
    with closing(opened(site)) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = dict(journal.execute("SELECT name, tbl_name FROM sqlite_schema"))
        bodies = journal.execute("SELECT coalesce(sum(length(body)), 0) FROM claim").fetchone()[0]
        found = {"bodies": bodies}
        for name, size in journal.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            found[name] = size - (bodies if name == "claim" else 0)
        rows = {
            name: journal.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name, table in tables.items()
            if name == table
        }
    each = (
        Size(name, tables.get(name, ""), size / documents, rows.get(name, 0) / documents, size > PAGE)
        for name, size in found.items()
    )
    return sorted(each, key=lambda size: (-size.bytes, size.name))


def show(case: Case, found: list[Size]) -> None:
    bodies = sum(size.bytes for size in found if size.name == "bodies")
    whole = sum(size.bytes for size in found)
    rows = sum(size.rows for size in found)
    print(f"{case.title}: {whole:.0f} bytes, of which {bodies:.0f} are bodies; {rows:.1f} rows")
    for size in found:
        if size.is_used and size.name != "bodies":
            index = f" of {size.table}" if size.name != size.table else ""
            print(
                f"  {size.name + index:52} {size.bytes:7.0f} bytes {size.rows or '':>5} {'rows' if size.rows else ''}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {case.title: asyncio.run(run(case, arguments.documents)) for case in CASES}
    if arguments.json:
        print(json.dumps({title: list(map(asdict, size)) for title, size in found.items()}))
        return
    for case in CASES:
        show(case, found[case.title])


if __name__ == "__main__":
    main()
