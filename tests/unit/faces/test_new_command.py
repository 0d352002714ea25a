"""`hub new`: what it writes where, and what it refuses."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli.program import build

PROGRAM = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]


def new(*words: str | Path) -> Result:
    return CliRunner().invoke(PROGRAM, ["new", *map(str, words)])


def test_it_says_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    told = new("adapter", "acme_spool", "--kind", "source", "--folder", tmp_path / "own")
    assert told.exit_code == 0
    for text in ("wrote ", "pip install -e ", "pytest ", "hub check"):
        assert text in told.stdout
    project = tomllib.loads((tmp_path / "own/pyproject.toml").read_text())
    assert project["project"]["entry-points"] == {"hub.plugins": {"source-acme_spool": "hub_source_acme_spool"}}


def test_programs_read_it(tmp_path: Path) -> None:
    told = json.loads(new("transformer", "acme_lines", "--folder", tmp_path / "own", "--json").stdout)
    assert (told["kind"], told["distribution"], len(told["next"])) == ("reader", "hub-reader-acme-lines", 3)
    assert {Path(name).relative_to(tmp_path / "own").as_posix() for name in told["files"]} == {
        "pyproject.toml", "README.md", "hub_reader_acme_lines.py", "tests/test_hub_reader_acme_lines.py",
    }  # fmt: skip
    for name in told["files"]:
        if name.endswith(".py"):
            ast.parse(Path(name).read_text())


def test_without_a_folder_it_is_named_by_the_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new("adapter", "acme_spool").exit_code == 0
    assert (tmp_path / "hub-destination-acme-spool/pyproject.toml").is_file()


def test_one_name_may_be_of_several_kinds(tmp_path: Path) -> None:
    assert new("adapter", "x12", "--folder", tmp_path / "own").exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["adapter", "file"], "there is a destination 'file' already; taken are "),
        (["transformer", "x12", "--kind", "writer"], "there is a writer 'x12' already"),
        (["adapter", "spool", "--kind", "sorce"], "there is no kind 'sorce' here (did you mean source?)"),
        (["adapter", "spool", "--kind", "reader"], "there is no kind 'reader' here (known: destination, source)"),
        (["adapter", "Acme-Spool"], "small letters, digits and single _"),
        (["adapter", "../spool"], "small letters, digits and single _"),
        (["adapter", "a" * 41], "at most 40"),
        (["adapter", "class"], "has a meaning of its own"),
        (["adapter", "retry"], "has a meaning of its own"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, words: list[str], told: str) -> None:
    said = new(*words, "--folder", tmp_path / "own")
    assert (said.exit_code, told in said.output) == (1, True), said.output
    assert not (tmp_path / "own").exists()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("own", "own/notes.txt", "link"):
        said = new("adapter", "acme_spool", "--folder", tmp_path / name)
        assert (said.exit_code, "nothing is overwritten" in said.output) == (1, True)
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["notes.txt"]
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = new("adapter", "acme_spool", "--folder", tmp_path / "file/own")
    assert said.exit_code == 1
    assert "error: " in said.output
    assert "Traceback" not in said.output
