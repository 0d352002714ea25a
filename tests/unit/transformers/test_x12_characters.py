"""One decision about the characters of a transaction: for documents, findings, lineage, drafts of agreements, and what
we write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.app.x12.x12_answers import answers
from hub.core.agreement import Agreement, Charset, InterchangeId
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import Order
from tests.golden.x12_files import read
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage
from transformers.x12.terms.observation import observe
from transformers.x12.writing.writer import write_interchange

ACME = Agreement("ACME", (InterchangeId("01", "043645501"),), InterchangeId("01", "068717859"))
MARKS = Delimiters(b"*", b">", b"", b"~")
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
UNDEFINED = b"\x81\x8d\x8f\x90\x9d"


def order(name: bytes) -> bytes:
    text = interchange([transaction("1", extra=["N1*ST*NAME*92*01", "N3*MAIN@STREET"])])
    return text.encode().replace(b"NAME", name).replace(b"@", b"\xe9" if not name.isascii() else b" ")


def under(charset: Charset, data: bytes) -> Reading:
    (reading,) = X12Reader(PartnerDirectory([replace(ACME, charset=charset)])).read(BytesBody(data))
    return reading


def name_in(reading: Reading) -> str | None:
    assert isinstance(reading.document, Order)
    return reading.document.parties[0].name


def test_every_byte_from_80_to_9f_is_windows_1252() -> None:
    for byte in range(0x80, 0xA0):
        one = bytes((byte,))
        (reading,) = read(order(b"A" + one + b"B"))
        if one in UNDEFINED:
            assert reading.document is None
            assert reading.error is not None
            assert f"control character {one.decode('latin-1')!r}" in reading.error.text
            assert reading.error.x12_code == "5" or reading.error.findings[0].code == "6"
        else:
            assert name_in(reading) == f"A{one.decode('cp1252')}B"
            assert "the bytes aren't UTF-8; read as windows-1252" in reading.warnings


def test_without_them_it_is_iso_8859_1() -> None:
    (reading,) = read(order(b"CAF\xc9"))
    assert name_in(reading) == "CAFÉ"
    assert "the bytes aren't UTF-8; read as ISO 8859-1" in reading.warnings


@pytest.mark.parametrize(
    ("charset", "warned"),
    [("windows-1252", False), ("latin-1", True), ("extended", True), ("utf-8", True)],
)
def test_what_is_agreed_is_no_warning(charset: Charset, warned: bool) -> None:
    reading = under(charset, order(b"\x84Muster\x93 \x80"))
    assert name_in(reading) == "„Muster“ €"
    assert any("windows-1252" in warning for warning in reading.warnings) == warned


def test_agreed_windows_1252_reads_utf_8_as_what_is_agreed() -> None:
    assert name_in(under("windows-1252", order("É".encode()))) == "Ã‰"


def test_a_control_character_of_unicode_is_none_of_a_value() -> None:
    (reading,) = read(order("A\x9bB".encode()).replace(b"\xe9", b" "))
    assert reading.document is None


def test_a_delimiter_stays_itself_beside_windows_1252() -> None:
    data = order(b"\x93A\x94").replace(b"~\n", b"\x85")
    (reading,) = read(data)
    assert name_in(reading) == "“A”"


@pytest.mark.parametrize("name", [b"\x93CAF\xc9\x94", b"CAF\xc9", "CAFÉ €".encode()])
def test_lineage_says_the_same_characters_at_their_bytes(name: bytes) -> None:
    data = order(name)
    if name == "CAFÉ €".encode():
        data = data.replace(b"\xe9", b" ")
    header = event = None
    for found in events(BytesBody(data)):
        header = found.header or header
        event = event or (found if found.kind == "ST" else None)
    assert header is not None
    assert event is not None
    (reading,) = read(data)
    (origin,) = [o for o in lineage(event, header.delimiters, "004010") if o.field == "parties[0].name"]
    assert origin.text == name_in(reading)
    assert data[origin.start : origin.end] == name


def test_one_element_that_happens_to_be_utf_8_is_read_as_the_others() -> None:
    data = order("É".encode() + b" \x80")
    assert character_set(data, MARKS).name == "windows-1252"
    (reading,) = read(data)
    assert name_in(reading) == "Ã‰ €"


@pytest.mark.parametrize(
    ("name", "charset"),
    [(b"PLAIN", "extended"), (b"CAF\xc9", "latin-1"), (b"\x80", "windows-1252"), ("€".encode(), "utf-8")],
)
def test_a_draft_of_an_agreement_says_it(name: bytes, charset: Charset) -> None:
    data = order(name)
    if charset == "utf-8":
        data = data.replace(b"\xe9", b" ")
    (seen,) = observe(BytesBody(data.replace(b"CLAW", b"cl_w")))
    assert seen.charset == charset


def test_windows_1252_is_written_and_read_back() -> None:
    (reading,) = read(order(b"\x84Muster\x93 \x80"))
    assert reading.document is not None
    agreed = replace(ACME, charset="windows-1252")
    written = write_interchange([reading.document], agreed, 7, AT).body
    assert b"\x84Muster\x93 \x80" in written
    with pytest.raises(MappingError, match=r"parties\[0\].name: '„' isn't in the character set latin-1"):
        write_interchange([reading.document], replace(ACME, charset="latin-1"), 7, AT)
    assert isinstance(reading.document, Order)
    party = reading.document.parties[0].model_copy(update={"name": "Ж"})
    asked = reading.document.model_copy(update={"parties": (party,)})
    with pytest.raises(MappingError, match="'Ж' isn't in the character set windows-1252"):
        write_interchange([asked], agreed, 7, AT)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16_is_named(encoding: str, mark: str) -> None:
    (reading,) = read((mark + interchange([transaction("1")])).encode(encoding))
    assert reading.position == ()
    assert reading.error is not None
    assert f"the file is {encoding[:6].upper()}" in reading.error.text


def test_blanks_at_the_end_of_values_are_left_out_and_are_no_difference() -> None:
    (reading,) = read(order(b"PLAIN"))
    document = reading.document
    assert isinstance(document, Order)
    padded = document.model_copy(
        update={
            "type": "SA  ",
            "parties": (document.parties[0].model_copy(update={"name": "PADDED     ", "names": ("MORE  ",)}),),
            "lines": tuple(line.model_copy(update={"descriptions": ()}) for line in document.lines),
        }
    )
    written = write_interchange([padded], ACME, 7, AT).body.decode()
    assert "N1*ST*PADDED*92*01~" in written
    assert "BEG*00*SA*1**20260302~" in written
    assert " *" not in written.partition("ST*")[2]
    assert " ~" not in written.partition("ST*")[2]


@pytest.mark.parametrize("mark", [b"\xc3", b"\x85", b"\xff", b"\xb6"])
def test_an_interchange_with_separators_outside_of_ascii_is_answered(mark: bytes) -> None:
    body = interchange([transaction("1")]).encode()
    for own in (b"*", b">", b"~"):
        data = body.replace(b"~\n", b"~").replace(own, mark)
        (answer,) = answers(BytesBody(data), PartnerDirectory())
        (said,) = read(answer.x12(1, AT))
        assert said.error is None
        assert said.document is not None
        assert said.document.kind == "functional_acknowledgment"
