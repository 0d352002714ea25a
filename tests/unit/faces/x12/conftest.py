"""`hub x12`, called as a person calls it, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.app.running_hub import RunningHub
from hub.cli.program import build

FILES = Path(__file__).parents[3] / "fixtures" / "x12"

SITE = """
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12:
  version: "004010"
  acknowledge: {with: "999", errors: accept}
  delimiters: {element: "|", terminator: "\\n"}
  overlays:
    "850":
      - {at: BEG/BEG02, codes: [NE]}
      - {at: REF, max: 1}
      - {at: CUR, use: X}
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]


def _no_serving(hub: RunningHub, listen: str) -> AbstractAsyncContextManager[str]:
    raise AssertionError("no command of this test serves")


@pytest.fixture
def x12(tmp_path: Path) -> Call:
    """`x12("inspect", path, ...)`, on a folder that is no site."""
    program = build(_no_serving)

    def call(command: str, *arguments: Any, given: bytes | None = None, site: Path = tmp_path) -> Said:
        words = ["x12", command, *map(str, arguments), "--site", str(site)]
        result = CliRunner().invoke(program, words, input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A site with one partner."""
    folder = tmp_path / "site" / "config" / "partners"
    folder.mkdir(parents=True)
    (folder / "acme.yaml").write_text(SITE)
    return tmp_path / "site"
