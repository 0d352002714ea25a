"""The example of the guide of steps is a site that the check takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from hub.app.opening import Opening
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.plugin import StepPlugin
from hub.core.ports import WriteContext
from hub.documents import Batch, from_json
from tests.support.site import SiteOnDisk

ORDER = (
    b'{"document": "order@1", "number": "?", "partner": "ACME", "lines": ['
    b'{"quantity": "2", "products": {"VN": "A"}}, {"quantity": "3", "products": {"VN": "B"}}]}'
)
GUIDE = Path(__file__).parents[3] / "docs/guides/steps.md"


def test_the_guide_s_example_is_taken_and_built(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    (routes,) = re.findall(r"```yaml\n# (routes/\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    site.write(*routes)
    (policies,) = re.findall(r"```yaml\n# config/policies.yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    site.write("config/policies.yaml", policies)
    (template,) = re.findall(r"```jinja\n{# (\S+): .*? #}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    site.write(*template)
    endpoints = tmp_path / "config/endpoints.yaml"
    endpoints.write_text(endpoints.read_text() + "crm: {rest: {base: http://127.0.0.1:9}}\n")
    folder = SiteFolder(tmp_path)
    checked = folder.check(discover(), site.environ)
    assert checked.site is not None, [str(one) for one in checked.errors]
    snapshot = Opening(folder, None, None, SystemClock()).open(checked.site).snapshot
    assert [step.name for step in snapshot.steps["web-orders"]] == ["ours", "by unit", "our customer number"]
    assert [step.name for step in snapshot.destinations["web-erp"].steps] == ["net prices", "within limits"]
    report = snapshot.destinations["daily-report"]
    assert (report.gather, report.writer is not None) == (("partner",), True)
    orders = [from_json(ORDER.replace(b"?", number)) for number in (b"1", b"2")]
    batch = Batch.model_validate({"number": "b", "partner": "ACME", "documents": orders})
    written = report.writer.write(batch, WriteContext("b", "daily-report", "k", datetime(2026, 3, 2, tzinfo=UTC)))
    assert written.body.decode().split() == ["order,item,quantity", "1,A,2", "1,B,3", "2,A,2", "2,B,3"]


def test_every_step_is_in_the_guide() -> None:
    text = GUIDE.read_text()
    assert all(f"| `{name}` |" in text for name in discover().names(StepPlugin))
