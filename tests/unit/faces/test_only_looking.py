"""Commands that look make nothing: a journal made by who asks (root, or a mistyped --site) could not be opened by the
hub's own user."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.program import build

PROGRAM = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]
LOOKING = (
    ["dead", "list"],
    ["dead", "list", "--json"],
    ["dead", "show", "3fa2"],
    ["hold", "list"],
    ["waiting", "list"],
    ["batch", "list"],
    ["trace", "104582"],
    ["sent", "104582"],
    ["partner", "acks", "ACME"],
    ["partner", "numbers", "ACME"],
    ["doctor"],
    ["reload"],
    ["dead", "replay", "--all"],
    ["hold", "release", "81c0"],
    ["broker", "rebuild"],
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "config/hub.yaml": "broker: embedded\n",
        "config/partners/acme.yaml": (
            'partner: ACME\nids: [{qualifier: "01", id: "043645501"}]\nx12: {version: "004010"}\n'
        ),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_a_command_that_looks_makes_nothing_where_no_hub_has_run(command: list[str], site: Path) -> None:
    said = CliRunner().invoke(PROGRAM, [*command, "--site", str(site)])
    assert not (site / "var").exists(), said.output
    assert command[0] in ("doctor", "reload") or f"there is no journal {site}/var/hub.db" in said.stderr
    assert command[:2] not in (["broker", "rebuild"], ["hold", "release"], ["dead", "replay"]) or said.exit_code == 3
    if "--json" in command:
        assert said.stdout.startswith("{")


def test_a_number_that_is_set_before_the_first_start_is_kept(site: Path) -> None:
    arguments = ["partner", "numbers", "ACME", "--site", str(site)]
    assert CliRunner().invoke(PROGRAM, [*arguments, "--next", "5000"]).exit_code == 0
    assert "the next one is 5000" in CliRunner().invoke(PROGRAM, arguments).output
