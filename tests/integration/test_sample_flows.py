"""The sample site at work, as `make demo` shows it: every flow in routes/, with real peers, comes out as it should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.core.context import Context
from hub.core.ports import BytesBody
from hub.documents.base import Document

ROOT = Path(__file__).parents[2]
GROWN = pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)
WRITTEN = re.compile(r"(855|856|810|997)_\d{9}\.edi")


@pytest.mark.parametrize("broker", [GROWN])  # `make demo` itself is the embedded one
def test_the_demo_comes_out_as_it_should(request: pytest.FixtureRequest, tmp_path: Path, broker: str) -> None:
    url = ["--broker", request.getfixturevalue("amqp_vhost")] if broker == "rabbitmq" else []
    folder = os.path.relpath(
        tmp_path / "demo", ROOT
    )  # as var/demo is: the demo's paths must not depend on where it is run
    command = [sys.executable, "-m", "hub", "demo", "--folder", folder, "--json", *url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert [f"{e['value']} at {e['destination']}: {e['problem']}" for e in told["documents"] if not e["ok"]] == []
    assert (told["ok"], done.returncode) == (True, 0)
    assert {name[:3] for name in told["fetched"]} == {"855", "997"}
    assert {name[:3] for name in told["uploaded"]} == {"856", "810"}
    assert all(WRITTEN.fullmatch(name) for name in (*told["fetched"], *told["uploaded"]))


def context() -> Context:
    return Context(site=ROOT, text=lambda folder, name: (ROOT / folder / name).read_text("utf-8"))


def read(source: str, fixture: str) -> Document:
    """What a source of the sample site makes of a file of routes/fixtures."""
    checked = SiteFolder(ROOT).check(discover(), {}).site
    assert checked is not None
    reader = checked.sources[source].reader
    (reading,) = reader.plugin.build("read", reader.options, context()).read(
        BytesBody((ROOT / "routes/fixtures" / fixture).read_bytes()), {}
    )
    assert reading.error is None
    assert reading.document is not None
    document: Document = reading.document
    return document


@pytest.mark.parametrize(
    ("source", "fixture", "expected"),
    [
        ("wms-shipments", "events/shipment-closed.json", ("W-77122", "CORA")),
        ("billing-invoices", "events/invoice-posted.json", ("RE-90031", "CORA")),
    ],
)
def test_an_event_of_an_internal_system_becomes_canonical(source: str, fixture: str, expected: tuple[str, str]) -> None:
    document = read(source, fixture)
    assert (document.number, document.partner) == expected


def test_the_warehouses_cartons_become_packs_and_items_numbered_in_order() -> None:
    notice = read("wms-shipments", "events/shipment-closed.json")
    levels = list(notice.walk())  # type: ignore[attr-defined]
    assert [level.id for level in levels] == [str(n) for n in range(1, 8)]
    assert [level.level for level in levels] == ["shipment", "order", "pack", "item", "pack", "item", "item"]
