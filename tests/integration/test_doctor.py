"""`hub doctor` beside a hub that runs: it tells of endpoints that are left alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.erp import Answer, Erp
from tests.support.hub_forks import ForkedHub, forks
from tests.support.ports import free_ports
from tests.support.site import SiteOnDisk, order
from tests.support.waiting import wait_for

LIMITED = "erp: {{rest: {{base: '{url}', limit: {{break_after: 1, break_for: 1h}}}}}}\n"


def findings(site: SiteOnDisk) -> dict[str, str]:
    told = json.loads(site.cli("doctor", "--json").stdout)
    return {one["what"]: f"{one['state']}: {one['text']}" for one in told["findings"]}


def test_an_endpoint_that_is_left_alone_is_named(tmp_path: Path, erp: Erp) -> None:
    site = SiteOnDisk(tmp_path, erp.url)
    (port,) = free_ports(1)
    hub_file = (site.folder / "config/hub.yaml").read_text()
    site.write("config/hub.yaml", hub_file.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    site.write("config/endpoints.yaml", LIMITED.format(url=erp.url))
    hub = ForkedHub(site, forks())
    try:
        hub.start()
        hub.wait_ready()
        well = findings(site)
        assert well["endpoints"] == "ok: 1 with limits, none left alone"
        assert well["sources"].startswith("ok: ")
        erp.script = lambda request: Answer(500)
        site.drop("1.json", order("1"))
        told = wait_for(
            lambda: (found := findings(site)["endpoints"]).startswith("error") and found, "it says nothing of the ERP"
        )
        assert told.startswith("error: left alone after failures: erp for ")
        drop = site.folder / "var/drop"
        drop.rename(site.folder / "var/before")
        drop.write_text("a file in the place of the folder")
        said = wait_for(
            lambda: (found := findings(site)["sources"]).startswith("error") and found, "the source is well"
        )
        assert said == f"error: inbox fails: {drop}/.hub-work can't be used: Not a directory"
    finally:
        hub.kill()
