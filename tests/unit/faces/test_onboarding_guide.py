"""The guide to a new partner does what it says: its files are written, its commands run, their output compared."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.app.plugin_discovery import discover
from hub.cli.program import build
from hub.configuration.check import check_site

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guides/partner-onboarding.md").read_text()
BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# ((?:config|routes)/\S+)\n")


def test_the_guide_can_be_followed_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "bolt"
    (site / "config").mkdir(parents=True)
    (tmp_path / "routes").symlink_to(ROOT / "routes")
    monkeypatch.chdir(site)
    done = 0
    for kind, text in BLOCK.findall(GUIDE):
        if kind == "yaml":
            head = FILE.match(text)
            assert head is not None
            file = site / head[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            continue
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            assert output(command) == expected
            done += 1
    assert done >= 9


def output(command: str) -> str:
    """What a person sees."""
    words = shlex.split(command)
    if words[0] == "hub":
        return CliRunner().invoke(build(lambda hub, listen: None), words[1:]).output  # type: ignore[arg-type, return-value]
    assert words[0] == "sed"
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("rule", re.findall(r"^\|.*\| `(\{at: .*\})` \|$", GUIDE, re.M))
def test_every_rule_of_the_guide_fits_its_set(rule: str) -> None:
    text = f'partner: BOLT\nx12:\n  version: "004010"\n  overlays:\n    "850":\n      - {rule}\n'
    checked = check_site({"config/partners/bolt.yaml": text.encode()}, discover(), {}, lambda name: False)
    assert [str(finding) for finding in checked.findings] == []
