"""A large body that a worker reads flows through: neither the worker nor the hub holds all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.app.running_hub import RunningHub
from hub.core.ports import Arrival, FileBody
from hub.runtime.contained.reading import ContainedReading
from hub.runtime.intake.source_steps import SourceSteps
from tests.support.memory import Growth
from tests.support.site import INBOX, SiteOnDisk

SITE = (
    INBOX
    + """\
  rows:
    file: {folder: var/rows}
    read: {csv: {document: order@1, to: {number: n, lines: {quantity: q}}, group: [n], types: {q: integer}}}
  edi:
    file: {folder: var/edi}
    read: x12
routes: []
"""
)
DOCUMENTS = 100


def rows(count: int) -> Iterator[bytes]:
    yield b"n,q,more\n"
    for number in range(count):
        yield b"%d,2,%s\n" % (number, b"x" * 90) * 1000


def interchange(count: int) -> Iterator[bytes]:
    head = (
        "ISA*00*          *00*         "
        f" *01*{'043645501':<15}*01*{'068717859':<15}*260302*0815*U*00401*000000001*0*P*>~"
    )
    yield head.encode() + b"GS*PO*043645501*068717859*20260302*0815*1*X*004010~"
    for number in range(1, count + 1):
        yield b"ST*850*%04d~BEG*00*SA*%d**20260302~" % (number, number)
        yield b"PO1*1*24*EA*12.75*PE*UP*036000291452*VN*AAAAAAAAAAAAAAAAAAAA*BP*BBBBBBBBBBBBBBBBBBBB~" * 1000
        yield b"CTT*1000~SE*1004*%04d~" % number
    yield b"GE*%d*1~IEA*1*000000001~" % count


@pytest.mark.parametrize(("source", "pieces"), [("rows", rows), ("edi", interchange)])
async def test_ten_megabytes_take_bounded_memory(source: str, pieces: object, tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    site.write("routes/acme.yaml", SITE)
    async with site.running() as hub:
        small, large = tmp_path / "small", tmp_path / "large"
        small.write_bytes(b"".join(pieces(2)))  # type: ignore[operator]
        large.write_bytes(b"".join(pieces(DOCUMENTS)))  # type: ignore[operator]
        assert large.stat().st_size > 8_000_000
        assert await documents_in(hub, source, small) == 2
        (worker,) = hub.pool.process_ids
        before = peak_of(worker)
        with Growth() as growth:
            assert await documents_in(hub, source, large) == DOCUMENTS
        assert hub.pool.process_ids == [worker]
        assert peak_of(worker) - before < 25_000_000
        assert growth.most < 25_000_000


async def documents_in(hub: RunningHub, source: str, path: Path) -> int:
    snapshot, body = hub.runtime.snapshot, FileBody(path)
    assert snapshot.recipe is not None
    passage = SourceSteps(snapshot.facts, (), Arrival(source, body), "c" * 64)
    count = 0
    async for found in ContainedReading(hub.runtime).passed(snapshot.recipe, passage, body, {}, None):
        assert all(one.found is not None for one in found), [one.reading.error for one in found]
        count += len(found)
    return count


def peak_of(process: int) -> int:
    """Bytes, resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
