"""docs/guides/adding-a-set.md, followed to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


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

    def hub(*words: str) -> str:
        environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "hub", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "1 accepted" in hub("x12", "validate", "sample.edi")
    (tmp_path / "order.json").write_text(hub("read", "sample.edi"))
    hub("x12", "write", "order.json", "--set", "875", "-o", "again.edi")
    assert hub("x12", "diff", "sample.edi", "again.edi") == "no difference: 1 document\n"
    assert "-> lines[].quantity" in hub("x12", "docs", "875")
