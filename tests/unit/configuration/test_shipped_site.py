"""The site that we ship: sound, with schemas that are up to date and that its own files satisfy."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.configuration.files.yaml_loader import load
from hub.configuration.schema import schemas
from hub.documents import from_json
from transformers.x12.writing.writer import write_interchange

ROOT = Path(__file__).parents[3]
FILES = sorted([*ROOT.glob("config/*.yaml"), *ROOT.glob("config/partners/*.yaml"), *ROOT.glob("routes/*.yaml")])
YAML = [path for path in FILES if not path.name.endswith(".test.yaml")]
HEAD = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def test_it_has_no_findings_in_a_fresh_checkout() -> None:
    checked = SiteFolder(ROOT).check(discover(), {})
    assert [str(finding) for finding in checked.findings] == []
    assert checked.site is not None


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_every_file_names_its_schema_and_satisfies_it(path: Path) -> None:
    head = HEAD.match(path.read_text())
    assert head is not None
    schema = json.loads((path.parent / head[1]).read_text())
    data = load(path.name, path.read_bytes(), {}).data
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(data)]
    assert errors == []


def test_the_schemas_are_up_to_date() -> None:
    """When this fails: `hub schema --write config/schemas`."""
    made = {name: orjson.dumps(one, option=orjson.OPT_INDENT_2) + b"\n" for name, one in schemas(discover()).items()}
    standing = {path.name: path.read_bytes() for path in (ROOT / "config/schemas").glob("*.json")}
    assert sorted(standing) == sorted(made)
    assert [name for name in made if made[name] != standing[name]] == []


@pytest.mark.parametrize("name", sorted(schemas(discover())))
def test_every_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schemas(discover())[name])


@pytest.mark.parametrize(
    "entry",
    [{"rest": {"endpoint": "erp"}}, {"sftp": {}}, {"file": {"folder": "x"}, "rest": {}}, {"file": {"folder": 7}}, {}],
)
def test_the_schema_refuses_what_the_check_refuses(entry: object) -> None:
    schema = schemas(discover())["destinations.schema.json"]
    assert not Draft202012Validator(schema).is_valid({"x": entry})


@pytest.mark.parametrize("path", sorted(ROOT.glob("routes/fixtures/*.json")), ids=lambda path: path.stem)
def test_every_json_fixture_is_a_document_whose_lines_and_parties_are_said(path: Path) -> None:
    document = from_json(path.read_bytes())
    assert document.lines  # type: ignore[attr-defined]
    assert document.parties  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["erp-invoice", "erp-order-acknowledgment"])
def test_what_the_erp_says_to_acme_can_be_written_by_the_agreement(name: str) -> None:
    checked = SiteFolder(ROOT).check(discover(), {})
    assert checked.site is not None
    agreement = checked.site.partners.by_name("ACME")
    assert agreement is not None
    document = from_json((ROOT / f"routes/fixtures/{name}.json").read_bytes())
    written = write_interchange([document], agreement, 7, datetime(2026, 3, 6, tzinfo=UTC))
    assert written.facts["set"] in agreement.send
    if name == "erp-invoice":
        assert b"PID*F****CLAW HAMMER 16 OZ FIBERGLASS~" in written.body
