"""`hub read`: a file as a source of the site reads it, or as its contents say."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli.program import build
from tests.golden.x12_files import FIXTURES
from tests.support.site import SiteOnDisk

PROGRAM = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]
SMALL = (FIXTURES / "850-small.edi").read_bytes()
ROUTES = """\
format: 1
owner: order-desk
sources:
  web-orders:
    file: {folder: var/web}
    unpack: zip
    read: {csv: {document: order@1, map: rows.json.j2, delimiter: ";"}}
    steps: [{name: none, filter: "false"}]
  edi:
    file: {folder: var/edi}
    unpack: gzip
    read: x12
routes:
  - id: orders
    when: {document: order}
    to: [erp]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteOnDisk:
    made = SiteOnDisk(tmp_path)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    made.write("routes/acme.yaml", ROUTES)
    made.write("routes/templates/rows.json.j2", '{"number": "{{ body.order }}", "partner": "{{ name }}"}')
    return made


def read(site: SiteOnDisk, body: bytes, *options: str) -> Result:
    (site.folder / "given").write_bytes(body)
    return CliRunner().invoke(PROGRAM, ["read", str(site.folder / "given"), "--site", str(site.folder), *options])


def zipped(*texts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for number, text in enumerate(texts, 1):
            packed.writestr(f"{number}.csv", text)
    return made.getvalue()


def test_it_reads_as_a_source_does_without_its_steps(site: SiteOnDisk) -> None:
    found = read(site, zipped("order\n1\n2\n", "order;x\n3\n"), "--source", "web-orders")
    documents = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(one["number"], one["partner"]) for one in documents] == [("1", "1.csv"), ("2", "1.csv")]
    assert "2.1: error: row 2 has 1 values, expected 2" in found.stderr
    assert found.exit_code == 1


def test_the_lineage_of_what_is_packed(site: SiteOnDisk) -> None:
    for options in (("--source", "edi"), ()):
        found = read(site, gzip.compress(SMALL), *options, "--lineage", "--json")
        (line,) = map(json.loads, found.stdout.splitlines())
        assert (line["position"], line["document"]["number"]) == ("1.1.1.1", "104582")
        number = next(one for one in line["lineage"] if one["field"] == "number")
        assert SMALL[number["start"] : number["end"]] == b"104582"


def test_plain_and_packed_are_the_same_documents(site: SiteOnDisk) -> None:
    assert read(site, gzip.compress(SMALL)).stdout == read(site, SMALL).stdout != ""


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (("--source", "web-order"), "there is no source 'web-order'"),
        (("--source", "edi", "--reader", "x12"), "say either --source or --reader"),
        (("--source", "web-orders", "--lineage"), "only X12 has a lineage"),
        (("--reader", "csv"), "name a source that has them with --source"),
    ],
)
def test_what_it_cannot_do_is_said(site: SiteOnDisk, options: tuple[str, ...], wrong: str) -> None:
    found = read(site, SMALL, *options)
    assert wrong in " ".join(found.stderr.split())
    assert found.exit_code != 0


def test_a_site_with_mistakes_is_said(site: SiteOnDisk) -> None:
    site.write("routes/acme.yaml", ROUTES.replace("unpack: zip", "unpack: zap"))
    assert "`unpack` can't be 'zap'" in " ".join(read(site, SMALL, "--source", "edi").stderr.split())
