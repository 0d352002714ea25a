"""The example of the guide of formats is a site that the check takes."""

from __future__ import annotations

import re
from pathlib import Path

from hub.app.opening import Opening
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.ports import BytesBody
from tests.support.site import SiteOnDisk

GUIDE = Path(__file__).parents[3] / "docs/guides/formats.md"
ROWS = "order;partner;wanted;quantity;price;unit\n7;ACME;02.03.2026;2;9,50;each\n7;ACME;;1;1;each\n"


def test_the_guide_s_example_reads_rows_into_an_order(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    text = GUIDE.read_text()
    (routes,) = re.findall(r"```yaml\n# (routes/\S+)\n(.*?)```", text, re.DOTALL)
    (more,) = re.findall(r"```yaml\n# config/destinations.yaml\n(.*?)```", text, re.DOTALL)
    destinations = tmp_path / "config/destinations.yaml"
    destinations.write_text(destinations.read_text() + more)
    site.write("routes/templates/legacy-lines.json.j2", "[]")
    (template,) = re.findall(r"```jinja\n{# (\S+) #}\n(.*?)```", text, re.DOTALL)
    site.write(*routes)
    site.write(*template)
    (tmp_path / "routes/acme.yaml").unlink()
    site.write("config/tables/uom.csv", "shop,edi\neach,EA\n")
    folder = SiteFolder(tmp_path)
    checked = folder.check(discover(), site.environ)
    assert checked.site is not None, [str(one) for one in checked.errors]
    reader = Opening(folder, None, None, SystemClock()).open(checked.site).snapshot.readers["web-orders"]
    (reading,) = reader.read(BytesBody(ROWS.encode()))
    assert reading.error is None
    assert [line.unit for line in reading.document.lines] == ["EA", "EA"]
