"""docs/guides/adding-a-set.md, followed to the letter in a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]

RUN = """\
import json
from pathlib import Path
from typer.testing import CliRunner
from hub.cli.program import build

program = build(lambda hub, listen: None)

def hub(*words):
    result = CliRunner().invoke(program, words)
    assert result.exit_code == 0, result.output
    return result.stdout

validated = hub("x12", "validate", "sample.edi")
Path("order.json").write_text(hub("read", "sample.edi"))
hub("x12", "write", "order.json", "--set", "875", "-o", "again.edi")
print(json.dumps([validated, hub("x12", "diff", "sample.edi", "again.edi"), hub("x12", "docs", "875")]))
"""
"""What the reader of the guide types, in one process: most of what a command costs is its start."""


def test_the_worked_example_is_a_working_set(tmp_path: Path) -> None:
    for package in ("hub", "transformers", "adapters"):
        shutil.copytree(ROOT / package, tmp_path / package)  # with what is compiled
    guide = (ROOT / "docs/guides/adding-a-set.md").read_text()
    sample, elements, segments, declaration = re.findall(r"```\w*\n(.*?)```", guide, re.S)[:4]
    x12 = tmp_path / "transformers/x12"
    for file, added in (("elements.yaml", elements), ("segments.yaml", segments)):
        head = f"\n{file.removesuffix('.yaml')}:\n"
        text = (x12 / file).read_text()
        for name in re.findall(r"^  \S+: ", added, re.M):  # the hub has the set: the guide takes it as if it hadn't
            text, taken = re.subn(f"^{re.escape(name)}.*\n", "", text, flags=re.M)
            assert taken == 1, name
        (x12 / file).write_text(text.replace(head, head + added, 1))
    (x12 / "sets/875.yaml").write_text(declaration)
    (tmp_path / "sample.edi").write_text(sample)

    (tmp_path / "run.py").write_text(RUN)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    validated, difference, described = json.loads(done.stdout)
    assert "1 accepted" in validated
    assert difference == "no difference: 1 document\n"
    assert "-> lines[].quantity" in described
