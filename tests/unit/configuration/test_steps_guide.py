"""The example of the guide of steps is a site that the check takes."""

from __future__ import annotations

import re
from pathlib import Path

from hub.app.opening import Opening
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from tests.support.site import SiteOnDisk

GUIDE = Path(__file__).parents[3] / "docs/guides/steps.md"


def test_the_guide_s_example_is_taken_and_built(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    (routes,) = re.findall(r"```yaml\n# (routes/\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    site.write(*routes)
    site.write("routes/templates/report-rows.json.j2", "[]")
    endpoints = tmp_path / "config/endpoints.yaml"
    endpoints.write_text(endpoints.read_text() + "crm: {rest: {base: http://127.0.0.1:9}}\n")
    folder = SiteFolder(tmp_path)
    checked = folder.check(discover(), site.environ)
    assert checked.site is not None, [str(one) for one in checked.errors]
    snapshot = Opening(folder, None, None).open(checked.site).snapshot
    assert [step.name for step in snapshot.steps["web-orders"]] == ["ours", "by unit", "our customer number"]
    assert [step.name for step in snapshot.destinations["web-erp"].steps] == ["net prices", "within limits"]
    assert snapshot.destinations["daily-report"].gather == ("partner",)


def test_every_step_is_in_the_guide() -> None:
    text = GUIDE.read_text()
    assert all(f"| `{name}` |" in text for name in discover().names("step"))
