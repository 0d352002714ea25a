"""Large input: taken or refused in bounded memory, and never lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.erp import Erp
from tests.support.site import HubProcess, SiteOnDisk
from tests.support.waiting import wait_for
from tests.support.x12 import orders_850

MEGABYTE = 1 << 20


@pytest.fixture
def site(tmp_path: Path, erp: Erp) -> SiteOnDisk:
    return SiteOnDisk(tmp_path, erp.url)


@pytest.fixture
def hub(site: SiteOnDisk) -> Iterator[HubProcess]:
    process = HubProcess(site)
    process.start()
    process.wait_ready()
    yield process
    process.kill()


def dead_letters(site: SiteOnDisk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.cli("dead", "list", "--json").stdout)["dead_letters"]
    return found


def test_a_hundred_megabytes_of_garbage_are_kept_whole_and_refused(hub: HubProcess, site: SiteOnDisk) -> None:
    before = hub.peak_memory()
    block = os.urandom(MEGABYTE)
    path = site.folder / "big.tmp"
    with path.open("wb") as stream:
        for _ in range(100):
            stream.write(block)
    (site.folder / "var/edi").mkdir(parents=True, exist_ok=True)
    path.rename(site.folder / "var/edi/big.edi")
    wait_for((site.folder / "var/edi/failed/big.edi").exists, "the file was not moved aside")
    (letter,) = wait_for(lambda: dead_letters(site), "there is no dead letter")
    claim = site.folder / "var/claims" / letter["body"][:2] / letter["body"][2:4] / letter["body"]
    assert claim.stat().st_size == 100 * MEGABYTE
    assert hub.peak_memory() - before < 60 * MEGABYTE
    assert hub.stop() == 0


def test_a_thousand_transactions_of_which_three_are_bad(hub: HubProcess, site: SiteOnDisk, erp: Erp) -> None:
    body = orders_850([str(number) for number in range(1000)])
    for bad in (17, 500, 999):
        body = body.replace(b"BEG*00*SA*%d**20260302~" % bad, b"BEG*00*SA*%d**20261332~" % bad)
    site.drop("thousand.edi", body, "var/edi")
    wait_for((site.folder / "var/edi/done/thousand.edi").exists, "the file was not taken")
    wait_for(lambda: len(set(erp.numbers())) == 997, "orders are missing")
    assert set(erp.numbers()) == {str(number) for number in range(1000)} - {"17", "500", "999"}
    assert len(erp.requests) == 997
    letters = wait_for(lambda: len(found := dead_letters(site)) == 3 and found, "three are to be refused")
    assert {letter["kind"] for letter in letters} == {"source"}
    assert all("20261332" in letter["cause"] for letter in letters)


def test_one_order_of_a_hundred_thousand_lines(hub: HubProcess, site: SiteOnDisk, erp: Erp) -> None:
    line = "PO1*{}*24*EA*12.75*PE*UP*036000291452~"
    lines = "".join(line.format(number) for number in range(1, 100_001))
    one = orders_850(["777"]).decode()
    body = one.replace(line.format(1), lines).replace("CTT*1~", "CTT*100000~").replace("SE*5*", "SE*100004*")
    site.drop("long.edi", body.encode(), "var/edi")
    wait_for(lambda: erp.numbers() or dead_letters(site), "nothing came out")
    assert erp.numbers() == ["777"], dead_letters(site)
    assert len(json.loads(erp.requests[0].body)["lines"]) == 100_000
    assert hub.get("/health/live")[0] == 200
