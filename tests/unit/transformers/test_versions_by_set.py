"""A partner with sets in several versions: what is read, written, drafted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.app.x12.partner_scaffold import scaffold
from hub.core.agreement import Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document
from tests.golden.x12_files import FIXTURES
from transformers.x12.reading.reader import X12Reader
from transformers.x12.terms.departures import departures
from transformers.x12.terms.observation import observe
from transformers.x12.writing.writer import write_interchange

ORDER = (FIXTURES / "850-small.edi").read_bytes()
NOTICE = (FIXTURES / "856-sotpi.edi").read_bytes()
ANSWER = (FIXTURES / "997-partial.edi").read_bytes()
TERMS = Agreement(
    "ACME",
    (InterchangeId("01", "043645501"),),
    InterchangeId("01", "068717859"),
    version="004010",
    versions={"856": "005010"},
)
ANYBODY = replace(TERMS, ids=(), we=None)


def in_version(data: bytes, version: bytes) -> bytes:
    return data.replace(b"*X*004010", b"*X*" + version)


def found(data: bytes, agreement: Agreement = ANYBODY) -> list[str]:
    return [one.text for one in departures(BytesBody(data), agreement) if one.kind == "version"]


def documents(data: bytes) -> list[Document]:
    read = X12Reader(PartnerDirectory()).read(BytesBody(data))
    return [reading.document for reading in read if reading.document is not None]


class TestReading:
    def test_each_set_in_its_version_departs_from_nothing(self) -> None:
        assert found(ORDER + in_version(NOTICE, b"005010")) == []

    def test_each_set_in_the_version_of_the_other_departs(self) -> None:
        assert found(in_version(ORDER, b"005010") + NOTICE) == [
            "GS08 is '005010', and 004010 is agreed for the 850",
            "GS08 is '004010', and 005010 is agreed for the 856",
        ]

    def test_a_group_of_many_transactions_says_it_once(self) -> None:
        assert len(found(in_version((FIXTURES / "850-two-groups.edi").read_bytes(), b"005010"))) == 2

    @pytest.mark.parametrize(("version", "departs"), [(b"004010", 0), (b"005010", 0), (b"004030", 1)])
    def test_an_acknowledgment_follows_what_it_answers(self, version: bytes, departs: int) -> None:
        assert len(found(in_version(ANSWER, version))) == departs

    def test_an_acknowledgment_may_have_a_version_of_its_own(self) -> None:
        assert found(ANSWER, replace(ANYBODY, versions={"997": "005010"})) == [
            "GS08 is '004010', and 005010 is agreed for the 997"
        ]


class TestWriting:
    @pytest.mark.parametrize(("data", "version"), [(ORDER, "004010"), (NOTICE, "005010")])
    def test_takes_the_version_of_the_set(self, data: bytes, version: str) -> None:
        written = write_interchange(documents(data)[:1], TERMS, 7, datetime(2026, 3, 2, tzinfo=UTC))
        assert written.facts["version"] == version
        assert f"*X*{version}".encode() in written.body
        assert f"*{version[:5]}*".encode() in written.body[:106]


class TestDraft:
    def test_says_the_versions_of_the_sets(self) -> None:
        mine = NOTICE.replace(NOTICE[35:50], ORDER[35:50]).replace(NOTICE[32:34], ORDER[32:34])
        (seen,) = observe(BytesBody(ORDER + ORDER + in_version(mine, b"005010")))
        drafted = scaffold(seen, "x.edi")
        assert '  version: "004010"\n  versions: {"856": "005010"}\n' in drafted.text
        assert "version 004010 for 850 and 005010 for 856 (GS08)" in drafted.seen

    def test_leaves_open_what_a_set_in_several_has(self) -> None:
        (seen,) = observe(BytesBody(ORDER + in_version(ORDER, b"005010")))
        drafted = scaffold(seen, "x.edi")
        assert "  # version: 004010, 005010: not one version that we know\n" in drafted.text
