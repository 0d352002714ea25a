"""The command line as a whole: every command is there under its name, helps, and loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hub.cli.program import build

ROOT = Path(__file__).parents[3]
PROGRAM = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]
HEAVY = ("sqlalchemy", "aiormq", "kombu", "lxml", "paramiko", "fastapi", "jinja2", "structlog")


def words(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group."""
    context = typer.Context(command)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield (*path, name)
        yield from words(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize("command", list(words(typer.main.get_command(PROGRAM))), ids=" ".join)
def test_every_command_helps_in_both_ways(command: tuple[str, ...]) -> None:
    short, long = (CliRunner().invoke(PROGRAM, [*command, option]) for option in ("-h", "--help"))
    assert (short.exit_code, short.output) == (0, long.output)
    assert "-h, --help" in short.output
    assert short.output.startswith(f"Usage: root {' '.join(command)} ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["chekc"], "there is no command 'chekc' (did you mean check?)"),
        (["x12", "insepct", "x"], "there is no command 'insepct' (did you mean inspect?)"),
        (["partner", "lst"], "there is no command 'lst' (did you mean list?)"),
        (["partner", "qqq"], "there is no command 'qqq' (known: acks, add, check, list, numbers)"),
    ],
)
def test_a_command_that_there_is_not_gets_the_nearest(given: list[str], told: str) -> None:
    said = CliRunner().invoke(PROGRAM, given)
    assert (said.exit_code, told in said.output) == (2, True)


@pytest.mark.parametrize(
    ("given", "needless"),
    [
        ("--help", ("hub.documents", "pydantic", "orjson", "yaml", *HEAVY)),
        ("x12 --help", ("hub.documents", "hub.configuration", "yaml", *HEAVY)),
        ("version", ("hub.documents", "hub.configuration", "yaml", *HEAVY)),
        ("x12 inspect routes/fixtures/acme-850-small.edi", HEAVY),
        ("partner list", HEAVY),
    ],
)
def test_a_command_loads_only_what_it_needs(given: str, needless: tuple[str, ...]) -> None:
    program = (
        f"import sys; sys.argv = {['hub', *given.split()]!r}\nfrom hub.main import main\ntry: main()\nfinally:"
        " print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert set(needless) & set(done.stderr.split()) == set()
