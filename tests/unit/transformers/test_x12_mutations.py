"""Whatever happens to a sound file: it is read to documents and errors, and what wasn't touched is read as before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from tests.fuzz.mutants import Interchange, interchanges, mutants, wrecks
from tests.fuzz.reading import (
    ACCEPTING,
    agrees_with_its_diagnosis,
    is_answered,
    reads_the_same_in_pieces,
    reads_to_documents_and_errors,
    spares_its_neighbours,
    traces_every_field,
)
from tests.fuzz.writing import AT
from tests.golden.x12_files import read
from transformers.x12 import X12Reader
from transformers.x12.declarations.catalogue import known_sets
from transformers.x12.writing.writer import write_interchange

MODERATE = settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from([1, 2, 3, 7, 64, 1000])


def test_there_is_a_sound_interchange_of_every_set() -> None:
    assert {one.name[:3] for one in interchanges()} == set(known_sets())
    for one in interchanges():
        assert [reading.error for reading in read(one.data)] == [None] * 4


@MODERATE
@given(mutants())
def test_an_accident_to_a_transaction_spares_its_neighbours(mutant: tuple[Interchange, bytes]) -> None:
    spares_its_neighbours(*mutant)


@MODERATE
@given(st.one_of(mutants().map(lambda mutant: mutant[1]), wrecks()))
def test_a_wreck_is_read_to_documents_and_errors(data: bytes) -> None:
    reads_to_documents_and_errors(data)


@MODERATE
@given(st.one_of(mutants().map(lambda mutant: mutant[1]), wrecks()), PIECES)
def test_a_wreck_is_the_same_however_its_bytes_arrive(data: bytes, piece: int) -> None:
    reads_the_same_in_pieces(data, piece)


@MODERATE
@given(mutants())
def test_the_compiled_reader_the_relaxed_one_and_the_diagnosis_agree(mutant: tuple[Interchange, bytes]) -> None:
    agrees_with_its_diagnosis(mutant[1])


@MODERATE
@given(mutants())
def test_the_lineage_of_what_is_left_names_its_fields(mutant: tuple[Interchange, bytes]) -> None:
    traces_every_field(mutant[1])


@MODERATE
@given(st.one_of(mutants().map(lambda mutant: mutant[1]), wrecks()))
def test_what_we_answer_to_a_wreck_can_be_written_and_read(data: bytes) -> None:
    is_answered(data)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called: the work, whatever the machine."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


ISA = b"ISA*00*          *00*          *01*043645501      *01*068717859      *260302*0815*U*00401*000000007*0*P*>~\n"
GS = b"GS*PO*043645501*068717859*20260302*0815*7*X*004010~\n"
GOOD = b"ST*850*0001~\nBEG*00*SA*1**20260302~\nPO1*1*1*EA*1~\nSE*4*0001~\n"

# what comes again and again, and what stands before it
ENDLESS = {
    "headers": (b"", b"ISA*"),
    "interchanges": (b"", ISA),
    "groups": (ISA, GS),
    "beginnings": (ISA + GS, b"ST*850*0001~\n"),
    "endings": (ISA + GS, b"SE*1*0001~\n"),
    "transactions": (ISA + GS, GOOD),
    "segments": (ISA + GS + b"ST*850*0001~\n", b"REF*DP*038~\n"),
    "unknown segments": (ISA + GS + b"ST*850*0001~\n", b"XYZ*1~\n"),
    "elements": (ISA + GS + b"ST*850*0001~\nBEG", b"*1"),
    "blank lines": (ISA + GS + b"ST*850*0001~", b"\r\n"),
    "terminators": (ISA + GS + b"ST*850*0001", b"~"),
    "binary segments": (ISA + GS + b"ST*850*0001~\n", b"BIN*3*~~~~\n"),
    "half binary segments": (ISA + GS + b"ST*850*0001~\n", b"BIN*9~\n"),
    "levels": (ISA + GS + b"ST*856*0001~\nBSN*00*1*20260302*0815~\n", b"HL*1**S~\n"),
    "stray segments": (ISA, b"N1*ST*X~\n"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_the_work_grows_with_the_bytes_and_no_faster(name: str) -> None:
    before, piece = ENDLESS[name]
    read(before + piece)  # what is compiled once
    once, twice, again = (calls(partial(read, before + piece * n)) for n in (500, 1000, 2000))
    assert again - twice <= 2.5 * max(twice - once, 100)


KEPT = ["DTM*010*20260132", "PO1*1*1*EA*1**VN*A~PO4**********1~REF**A"]


def written_again(segment: str, times: int) -> int:
    """The work of writing an order that was accepted with its errors."""
    one = ["ST*850*0001", "BEG*00*SA*1**20260302", "PO1*1*1*EA*1", *(segment.split("~") * times)]
    body = "~".join(
        [
            ISA.decode().strip("~\n"),
            GS.decode().strip("~\n"),
            *one,
            f"SE*{len(one) + 1}*0001",
            "GE*1*7",
            "IEA*1*000000007~",
        ]
    )
    (reading, _) = X12Reader(PartnerDirectory([ACCEPTING])).read(BytesBody(body.encode()))
    document = reading.document
    assert document is not None, reading.error

    def write() -> None:
        with suppress(MappingError):  # what is kept for its errors can't always be written
            write_interchange([document], ACCEPTING, 1, AT)

    return calls(write)


@pytest.mark.parametrize("segment", KEPT)
def test_the_work_of_writing_what_was_kept_grows_with_it_and_no_faster(segment: str) -> None:
    written_again(segment, 1)
    once, twice, again = (written_again(segment, n) for n in (300, 600, 1200))
    assert again - twice <= 2.5 * max(twice - once, 100)
