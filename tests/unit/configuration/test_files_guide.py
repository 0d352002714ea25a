"""The guide to exchanging files and messages: its files are a site that loads."""

from __future__ import annotations

import re
from pathlib import Path

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder

GUIDE = Path(__file__).parents[3] / "docs/guides/exchanging-files.md"
PARTNER = 'partner: ACME\nids: [{qualifier: "01", id: "043645501"}]\n'


def test_the_files_of_the_guide_are_a_site(tmp_path: Path) -> None:
    files = {"config/hub.yaml": "broker: embedded\n", "config/partners/acme.yaml": PARTNER}
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        files[name] = files.get(name, "") + text
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    names = ("ACME_KEY_FILE", "S3_KEY", "S3_SECRET", "WMS_PASSWORD", "REDIS_PASSWORD")
    checked = SiteFolder(tmp_path).check(discover(), dict.fromkeys(names, "a-secret"))
    assert [str(finding) for finding in checked.errors] == []
    assert checked.site is not None
    assert {"acme-inbox", "dropbox", "s3-inbox", "picks", "history", "shop-queue", "nightly"} == set(
        checked.site.sources
    )
