"""White space around segments belongs to nobody: whatever there is of it, with whatever terminator, read as if it
weren't there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document
from tests.golden.x12_files import read
from tests.unit.transformers.reading import Pieces
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage
from transformers.x12.reading.reader import X12Reader

PLAIN = interchange([transaction("1", 2), transaction("2", control="0002")], [transaction("3")]).replace("~\n", "~")
TERMINATORS = ["~", "'", "\n", "\r", "\x1c", "\x85", "|", "\f"]
BLANKS = [" ", "\t", "\r", "\n", "\f", "\v", "  \n\t", "\n  ", " \r\n ", "\r\n\r\n", "\f\n"]


def spaced(data: str, terminator: str, before: str, behind: str) -> bytes:
    """Every segment but the ISA with white space before it, and every one with white space behind it."""
    first, *others = data.rstrip("~").split("~")
    own = [first, *(before + other + behind for other in others)]
    return (terminator.join(own) + terminator).encode("latin-1")


def documents(data: bytes) -> list[Document | None]:
    return [reading.document for reading in read(data)]


WANTED = documents(PLAIN.encode())


def test_there_is_something_to_read() -> None:
    assert [d and d.number for d in WANTED] == ["1", "2", "3"]


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize("before", BLANKS)
def test_white_space_before_segments(terminator: str, before: str) -> None:
    assert documents(spaced(PLAIN, terminator, before, "")) == WANTED


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize("behind", [b for b in BLANKS if b])
def test_white_space_behind_segments(terminator: str, behind: str) -> None:
    assert documents(spaced(PLAIN, terminator, "", behind)) == WANTED


@given(st.sampled_from(TERMINATORS), st.lists(st.text(" \t\r\n\f", max_size=4), min_size=40, max_size=40))
def test_every_mixture(terminator: str, blanks: list[str]) -> None:
    pieces = PLAIN.rstrip("~").split("~")
    if terminator == "\r":
        blanks[1] = blanks[1].replace("\n", "")  # else lines might end with both
    text = pieces[0] + " \t" * ("\t" in blanks[0]) + terminator
    for blank, piece in zip(blanks, pieces[1:], strict=False):
        text += blank + piece + terminator
    data = text.encode("latin-1")
    assert documents(data) == WANTED
    in_pieces = X12Reader(PartnerDirectory()).read(Pieces(data))
    assert [reading.document.number for reading in in_pieces if reading.document] == ["1", "2", "3"]


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize("before", ["   ", "\t", " \t ", "\f"])
def test_white_space_behind_the_header(terminator: str, before: str) -> None:
    data = PLAIN.replace("~", before + "~", 1).replace("~", terminator)
    assert documents(data.encode("latin-1")) == WANTED


@pytest.mark.parametrize(
    "ends", ["\r\n|\r", "\r\n|\n", "\r|\r\n", "\n|\r\n", "\n\r|\r", "  \r\n|  \n", "\f\n|\n", "\t\r|\r"]
)
def test_line_ends_differ_behind_the_header(ends: str) -> None:
    header, others = ends.split("|")
    first, _, rest = PLAIN.partition("~")
    assert documents((first + header + rest.replace("~", others)).encode()) == WANTED


@pytest.mark.parametrize("component", ["\t", "\f", "\v"])
def test_the_interchanges_own_separators_are_no_white_space(component: str) -> None:
    line = f"PO1*1*1*EA*1**VN*A-1{component}~"
    assert line.rstrip("~").endswith(component)
    first, *others = (
        PLAIN.replace(">~", component + "~", 1)
        .replace("CUR*BY*USD", "N1*ST*A\tB" if component == "\t" else "N1*ST*X")
        .split("~")
    )
    assert first.endswith(component)
    found = read("~\n  ".join([first, *others]).encode())
    assert len(found) == 3
    if component == "\t":
        assert all(r.error is not None or r.document is not None for r in found)


@pytest.mark.parametrize("data", [b" \t\r\n ", b"  ~SE*1*~", b"\n\n\n\n", b"\r\n  BEG"])
def test_bytes_of_binary_data_stay(data: bytes) -> None:
    one = transaction("1")
    one[2:2] = ["@"]
    one[-1] = f"SE*{len(one)}*0001"
    body = interchange([one]).encode().replace(b"@~", b"  BIN*%d*%s~ " % (len(data), data))
    (event,) = [event for event in events(BytesBody(body)) if event.kind == "ST"]
    ((start, end),) = event.binary
    assert event.data[start:end] == data


def test_positions_are_those_of_the_indented_file() -> None:
    data = spaced(PLAIN, "~", "\n   ", " ")
    event, header = None, None
    for found in events(BytesBody(data)):
        header = found.header or header
        event = event or (found if found.kind == "ST" else None)
    assert event is not None
    assert header is not None
    origins = lineage(event, header.delimiters, "004010")
    assert origins
    assert all(data[o.start : o.end].decode() == o.text for o in origins)


def test_what_is_wrong_in_an_indented_file_is_found_where_it_stands() -> None:
    data = spaced(PLAIN.replace("PO1*1*24", "PO1*1*2x4", 1), "~", "\n\t ", "")
    (wrong, *_) = [reading.error for reading in read(data) if reading.error is not None]
    assert wrong.offset == re.search(rb"PO1\*1\*2x4", data).start()  # type: ignore[union-attr]
