"""`hub partner list`, `add` and `check`, as a person or a script uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.cli.program import build
from tests.golden.x12_files import FIXTURES
from transformers.x12.terms.departures import ADVICE

SMALL = FIXTURES / "850-small.edi"
PICK = FIXTURES / "856-pick-and-pack.edi"

Hub = Callable[..., Result]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Runs `hub partner` on an empty site."""
    (tmp_path / "site/config").mkdir(parents=True)
    program = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]

    def run(*words: str | Path, site: str = "site") -> Result:
        return CliRunner().invoke(program, ["partner", *map(str, words), "--site", str(tmp_path / site)])

    return run


def errors_of(site: Path) -> list[str]:
    return [str(finding) for finding in SiteFolder(site).check(discover(), {}).errors]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.edi")), ids=lambda path: path.stem)
def test_what_a_sample_drafts_stands_in_the_site_and_the_sample_is_as_agreed(
    hub: Hub, tmp_path: Path, path: Path
) -> None:
    assert hub("add", path, "--name", "BOLT", "--write").exit_code == 0
    assert errors_of(tmp_path / "site") == []
    checked = hub("check", "BOLT", path)
    assert checked.exit_code == 0, checked.stdout
    assert "no departures" in checked.stdout


TERMS = """\
partner: BOLT
ids: [{qualifier: "01", id: "043645501", test: false}, {qualifier: "ZZ", id: "BOLTTEST", test: true}]
owner: edi-desk
x12:
  version: "004010"
  versions: {"856": "005010"}
  receive: ["850", "997"]
  send: ["855", "856"]
  acknowledge: {with: "999", within: 24h, errors: accept, ta1: always}
  expect_ack: 90m
  overlays: {"850": [{at: CUR, use: X}, {at: PO1, max: 10}]}
"""


class TestList:
    @pytest.fixture(autouse=True)
    def bolt(self, hub: Hub, tmp_path: Path) -> Path:
        folder = tmp_path / "site/config/partners"
        folder.mkdir()
        (folder / "bolt.yaml").write_text(TERMS)
        (folder / "zinc.yaml").write_text("partner: ZINC\n")
        return folder

    def test_a_line_for_each_partner_with_its_terms(self, hub: Hub) -> None:
        columns, bolt, zinc = (re.split(" {2,}", line.strip()) for line in hub("list").stdout.splitlines())
        assert dict(zip(columns, bolt, strict=True)) == {
            "partner": "BOLT",
            "ids": "01/043645501 (production), ZZ/BOLTTEST (test)",
            "version": "004010, 005010 for 856",
            "receive": "850, 997",
            "send": "855, 856",
            "we acknowledge": "999 within 24h, errors accepted, TA1 always",
            "they acknowledge": "within 90m",
            "overlays": "850 (2)",
        }
        assert zinc == ["ZINC", "-", "any", "every set", "what a document needs", "-", "-", "-"]

    def test_one_of_them(self, hub: Hub) -> None:
        (bolt,) = json.loads(hub("list", "BOLT", "--json").stdout)["partners"]
        assert (bolt["version"], bolt["versions"], bolt["send"]) == ("004010", {"856": "005010"}, ["855", "856"])
        assert bolt["ids"][1] == {"qualifier": "ZZ", "id": "BOLTTEST", "test": True}
        assert (bolt["acknowledge"]["with"], bolt["expect_ack"]) == ("999", {"within": 5400.0, "owner": "edi-desk"})
        assert (bolt["overlays"], bolt["we"]) == ({"850": 2}, None)

    def test_a_name_that_there_is_not_gets_the_nearest(self, hub: Hub) -> None:
        shown = hub("list", "BLOT")
        assert shown.exit_code == 1
        assert "there is no partner 'BLOT' (did you mean BOLT?)" in shown.stderr

    def test_without_partners_it_says_how_to_add_one(self, hub: Hub, bolt: Path) -> None:
        for file in bolt.iterdir():
            file.unlink()
        shown = hub("list")
        assert shown.exit_code == 0
        assert shown.stdout.startswith("no partners: `hub partner add FILE` drafts one")
        assert json.loads(hub("list", "--json").stdout) == {"partners": []}


class TestAdd:
    def test_without_write_prints_the_file_and_writes_nothing(self, hub: Hub, tmp_path: Path) -> None:
        shown = hub("add", SMALL, "--name", "BOLT")
        assert shown.exit_code == 0
        assert shown.stdout.startswith("# yaml-language-server: $schema=../schemas/partner.schema.json\n")
        assert 'ids: [{qualifier: "01", id: "043645501"}]' in shown.stdout
        assert "1 interchange from 01/043645501 to 01/068717859: 1 transaction (1 of 850)" in shown.stderr
        assert list((tmp_path / "site").rglob("*.yaml")) == []

    def test_never_writes_over_a_file(self, hub: Hub, tmp_path: Path) -> None:
        assert hub("add", SMALL, "--name", "BOLT", "--write").exit_code == 0
        file = tmp_path / "site/config/partners/bolt.yaml"
        before = file.read_text()
        again = hub("add", PICK, "--name", "Bolt", "--write")
        assert again.exit_code == 1
        assert "config/partners/bolt.yaml:1:1: error: the file is there already" in again.stderr
        assert file.read_text() == before

    def test_a_sender_that_is_a_partner_already_is_refused_with_the_place(self, hub: Hub, tmp_path: Path) -> None:
        hub("add", SMALL, "--name", "ACME", "--write")
        again = hub("add", SMALL, "--name", "BOLT", "--write")
        assert again.exit_code == 1
        assert (
            "config/partners/bolt.yaml:5:7: error: the interchange id 01 043645501 of BOLT is taken already,"
            " at config/partners/acme.yaml:5:7" in again.stderr
        )
        assert not (tmp_path / "site/config/partners/bolt.yaml").exists()

    def test_unknown_codes_become_an_overlay(self, hub: Hub) -> None:
        assert '    "856":\n      - {at: HL/HL03, add: ["Q"]}\n' in hub("add", PICK).stdout

    def test_test_traffic_is_drafted_as_such(self, hub: Hub, tmp_path: Path) -> None:
        sample = tmp_path / "test.edi"
        sample.write_bytes(SMALL.read_bytes().replace(b"*P*>", b"*T*>"))
        hub("add", sample, "--name", "BOLT", "--write")
        assert "  test: true" in (tmp_path / "site/config/partners/bolt.yaml").read_text()
        assert hub("check", "BOLT", sample).exit_code == 0
        assert "ISA15 is P, and the agreement says test: true" in hub("check", "BOLT", SMALL).stdout

    def test_several_senders_are_drafted_each_or_by_choice(self, hub: Hub, tmp_path: Path) -> None:
        sample = tmp_path / "two.edi"
        other = SMALL.read_bytes().replace(b"*01*043645501      *", b"*ZZ*BOLT SUPPLY    *")
        sample.write_bytes(SMALL.read_bytes() + other)
        both = json.loads(hub("add", sample, "--json").stdout)
        assert [one["partner"] for one in both["partners"]] == ["P043645501", "BOLT-SUPPLY"]
        named = hub("add", sample, "--name", "BOLT")
        assert named.exit_code == 1
        assert (
            "the file has 2 senders: 01/043645501, ZZ/BOLT SUPPLY; say which one is BOLT with --sender" in named.stderr
        )
        chosen = hub("add", sample, "--name", "BOLT", "--sender", "ZZ/BOLT SUPPLY", "--write")
        assert chosen.exit_code == 0
        assert (
            'ids: [{qualifier: "ZZ", id: "BOLT SUPPLY"}]' in (tmp_path / "site/config/partners/bolt.yaml").read_text()
        )
        assert "the file has no sender 'ZZ/X'" in hub("add", sample, "--sender", "ZZ/X").stderr

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"", "the file is empty"),
            (b"hello", "expected an interchange (ISA)"),
            (b"\x00\xff" * 2000, "expected an interchange (ISA)"),
            (b"ISA*00*", "half an ISA segment"),
        ],
    )
    def test_a_file_without_an_interchange_says_why(self, hub: Hub, tmp_path: Path, data: bytes, text: str) -> None:
        (tmp_path / "x").write_bytes(data)
        shown = hub("add", tmp_path / "x")
        assert shown.exit_code == 1
        assert text in shown.stderr
        assert shown.stdout == ""

    def test_a_file_that_isnt_there_and_a_folder(self, hub: Hub, tmp_path: Path) -> None:
        assert "no such file" in hub("add", tmp_path / "none").stderr
        assert hub("add", tmp_path).exit_code == 2

    @pytest.mark.parametrize("name", ["../x", "a b", "", "-x", "x" * 81, "a/b"])
    def test_a_name_that_is_none_is_refused(self, hub: Hub, name: str) -> None:
        assert hub("add", SMALL, f"--name={name}").exit_code == 2

    def test_without_a_site_nothing_is_written(self, hub: Hub, tmp_path: Path) -> None:
        shown = hub("add", SMALL, "--write", site="nowhere")
        assert shown.exit_code == 1
        assert "is no site: it has no config/ folder" in shown.stderr

    @pytest.mark.parametrize(
        "id",
        [
            b"${HOME}        ",
            b'"}, x: [       ',
            b"# no           ",
            b"a: b           ",
            b"\\x41           ",
            b"\xe9\x85\xa0           ",
            b"\x7f\x1b[31m        ",
            b"../../etc/pass ",
            b"' | rm         ",
            b"               ",
        ],
    )
    def test_what_a_partner_calls_itself_is_text_and_nothing_else(self, hub: Hub, tmp_path: Path, id: bytes) -> None:
        sample = tmp_path / "odd.edi"
        isa, rest = SMALL.read_bytes()[:106], SMALL.read_bytes()[106:]
        padded = id[:15].ljust(15)
        sample.write_bytes(isa.replace(b"043645501      ", padded) + rest.replace(b"043645501", b"X" + padded[:9], 1))
        shown = hub("add", sample, "--write")
        files = list((tmp_path / "site").rglob("*.yaml"))
        assert all(path.parent == tmp_path / "site/config/partners" for path in files)
        assert "\x1b" not in shown.stderr
        if shown.exit_code == 0:
            (found,) = SiteFolder(tmp_path / "site").check(discover(), {}).site.partners.names  # type: ignore[union-attr]
            assert hub("check", found, sample).exit_code == 0
        else:
            assert files == []
            assert "error" in shown.stderr


class TestCheck:
    def test_names_each_departure_with_its_place(self, hub: Hub, tmp_path: Path) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        file = tmp_path / "site/config/partners/bolt.yaml"
        file.write_text(file.read_text() + '  overlays: {"850": [{at: BEG/BEG02, codes: [NE]}]}\n')
        shown = hub("check", "BOLT", SMALL)
        assert shown.exit_code == 1
        assert shown.stdout.splitlines() == [
            (
                "content  interchange 1, group 1, 850 0001, BEG02 (segment 2, byte 172)"
                "  Purchase Order Type Code: found 'SA', expected one of NE"
            ),
            f"what to do (content): {ADVICE['content']}",
            "1 departure from the agreement with BOLT",
        ]
        told = json.loads(hub("check", "BOLT", SMALL, "--json").stdout)
        assert (told["ok"], told["departures"], told["notes"]) == (False, 1, 0)
        assert told["found"][0]["element"] == 2

    def test_a_file_of_another_partner(self, hub: Hub) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        shown = hub("check", "BOLT", FIXTURES / "850-odd-delimiters.edi")
        assert [line.split()[0] for line in shown.stdout.splitlines()] == ["delimiters"] * 3 + ["what", "3"]
        assert "what to do (delimiters): the hub reads any delimiters" in shown.stdout

    def test_another_version_says_what_to_do(self, hub: Hub, tmp_path: Path) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        (tmp_path / "new.edi").write_bytes(SMALL.read_bytes().replace(b"*X*004010", b"*X*005010"))
        told, todo, _ = hub("check", "BOLT", tmp_path / "new.edi").stdout.splitlines()
        assert told.endswith("GS08 is '005010', and 004010 is agreed for the 850")
        assert todo.startswith("what to do (version): the hub reads it all the same, as the release that GS08 names")
        assert "versions: {SET: VERSION}" in todo

    def test_what_every_interchange_says_alike_is_told_once(self, hub: Hub, tmp_path: Path) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        other = SMALL.read_bytes().replace(b"*068717859      *", b"*111111111      *")
        (tmp_path / "many.edi").write_bytes(other * 50)
        shown = hub("check", "BOLT", tmp_path / "many.edi").stdout.splitlines()
        assert len(shown) == 3
        assert shown[0].endswith("the receiver is 01/111111111, and we are 01/068717859  (and 49 more like it)")
        assert shown[2] == "50 departures from the agreement with BOLT"

    def test_an_unknown_partner_gets_the_nearest_name(self, hub: Hub) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        shown = hub("check", "BLOT", SMALL)
        assert shown.exit_code in (1, 2)
        assert "there is no partner 'BLOT' (did you mean BOLT?)" in shown.stderr

    def test_a_partners_file_with_errors_is_told_with_its_place(self, hub: Hub, tmp_path: Path) -> None:
        hub("add", SMALL, "--name", "BOLT", "--write")
        file = tmp_path / "site/config/partners/bolt.yaml"
        file.write_text(file.read_text().replace("receive:", "recieve:"))
        shown = hub("check", "BOLT", SMALL)
        assert shown.exit_code in (1, 2)
        assert "config/partners/bolt.yaml:10:3: error: unknown key 'recieve' (did you mean receive?)" in shown.stderr
