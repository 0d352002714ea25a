"""Levels of an 856: by their parents, by BSN05 where no HL names one, or not at all; and numbered when the hub writes
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import FunctionalAcknowledgment, ShipNotice
from hub.documents.transport.ship_notice import Level
from tests.golden.x12_files import read
from tests.golden.x12_transactions import read_one
from transformers.x12 import X12Reader
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.declarations.declaration import Loop
from transformers.x12.envelope.scan import events
from transformers.x12.lineage.lineage import lineage
from transformers.x12.reading.levels import TREES
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.writer import write_interchange

ACME = Agreement("ACME", (InterchangeId("ZZ", "BUYERCO"),), InterchangeId("ZZ", "SELLERCO"), acknowledge=Acknowledge())
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
Tree = list["tuple[str, Tree]"]  # type: ignore[misc]


def notice(levels: Sequence[str], structure: str = "0001") -> bytes:
    """An 856 with a level for each text: its code, or its code and its parent (`I<2`)."""
    one = ["ST*856*0001", f"BSN*00*SHIP16*20260105*1000*{structure}".rstrip("*")]
    for number, level in enumerate(levels, 1):
        code, _, parent = level.partition("<")
        one.append(f"HL*{number}*{parent}*{code}")
        if code == "I":
            one += [f"LIN**UP*01234567890{number % 10}", f"SN1**{number}*EA"]
        elif code == "O":
            one.append(f"PRF*PO-{number}")
    one.append(f"SE*{len(one) + 1}*0001")
    head = "ISA*00*          *00*          *ZZ*BUYERCO        *ZZ*SELLERCO       *260105*0930*U*00401*000000001*0*P*>"
    lines = [head, "GS*SH*BUYERCO*SELLERCO*20260105*0930*1*X*004010", *one, "GE*1*1", "IEA*1*000000001"]
    return "".join(f"{line}~\n" for line in lines).encode()


def shape(levels: Sequence[Level]) -> str:
    """`S(O(I I))`."""
    short = {"shipment": "S", "order": "O", "tare": "T", "pack": "P", "item": "I"}
    return " ".join(
        short.get(level.level, level.level) + (f"({shape(level.levels)})" if level.levels else "") for level in levels
    )


def one(data: bytes, agreement: Agreement | None = None) -> Reading:
    found = X12Reader(PartnerDirectory([agreement])).read(BytesBody(data)) if agreement else read(data)
    (reading,) = [r for r in found if r.envelope.get("direction") != "outbound"]
    return reading


@pytest.mark.parametrize(
    ("structure", "levels", "nested"),
    [
        ("0001", "S O I I", "S(O(I I))"),
        ("0001", "S O P I P I O P I", "S(O(P(I) P(I)) O(P(I)))"),
        ("0001", "S O T P I I P I T I", "S(O(T(P(I I) P(I)) T(I)))"),
        ("0001", "S O I P I O I", "S(O(I P(I)) O(I))"),
        ("0001", "S P I", "S(P(I))"),
        ("0002", "S O I P P I T P", "S(O(I(P P) I(T(P))))"),
        ("0003", "S T P O I O I P O I", "S(T(P(O(I) O(I)) P(O(I))))"),
        ("0004", "S O I I O I", "S(O(I I) O(I))"),
        ("0004", "O I O I", "O(I) O(I)"),
        ("0004", "S O I S O I", "S(O(I)) S(O(I))"),
        ("0001", "S", "S"),
    ],
)
def test_without_parents_levels_are_nested_by_bsn05(structure: str, levels: str, nested: str) -> None:
    reading = one(notice(levels.split(), structure))
    assert isinstance(reading.document, ShipNotice), reading.error
    assert shape(reading.document.levels) == nested
    warned = [warning for warning in reading.warnings if "HL02" in warning]
    assert len(warned) == (" " in levels)
    assert all(f"nested by BSN05 {structure}" in warning for warning in warned)


@pytest.mark.parametrize(
    ("structure", "levels", "said"),
    [
        ("", "S O I", "BSN05 is missing"),
        ("ZZZZ", "S O I", "BSN05 is 'ZZZZ'"),
        ("0020", "S O I", "BSN05 is '0020'"),
        ("0004", "S O P I", r"BSN05 is '0004', which has no level 'P' \(HL\[6\]\)"),
        ("0001", "S O K I", "which has no level 'K'"),
    ],
)
@pytest.mark.parametrize("errors", ["reject", "accept"])
def test_what_nobody_can_nest_is_refused_whatever_is_agreed(
    structure: str, levels: str, said: str, errors: str
) -> None:
    agreed = replace(ACME, acknowledge=replace(Acknowledge(), errors=errors))  # type: ignore[arg-type]
    found = list(X12Reader(PartnerDirectory([agreed])).read(BytesBody(notice(levels.split(), structure))))
    (reading,) = [r for r in found if r.envelope.get("direction") != "outbound"]
    assert reading.document is None
    assert reading.error is not None
    assert reading.error.element == "BSN05"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(str(reading.error))
    (answer,) = [r.document for r in found if isinstance(r.document, FunctionalAcknowledgment)]
    ((segment, *_),) = [t.segments for t in answer.transactions]
    assert (segment.segment, segment.position, segment.elements[0].reference) == ("BSN", 2, "1005")


def test_a_level_before_all_that_it_could_belong_to_is_reported() -> None:
    reading = one(notice(["S", "I", "O", "I"], "0003"))
    assert isinstance(reading.document, ShipNotice), reading.error
    assert shape(reading.document.levels) == "S(I O(I))"
    reading = one(notice(["I", "O", "I", "S"], "0004"))
    assert isinstance(reading.document, ShipNotice), reading.error
    assert shape(reading.document.levels) == "I O(I) S"
    assert [w.partition(" ")[0] for w in reading.warnings if "every level that it could belong to" in w] == [
        "HL[3]",
        "HL[6]",
    ]


@pytest.mark.parametrize(
    ("name", "head", "levels", "reported"),
    [
        ("870", "BSR*1*PP*ST-1*20260311", ["HL*1**O", "HL*2*1*I", "HL*3**O", "HL*4*3*I"], []),
        ("870", "BSR*1*PP*ST-1*20260311", ["HL*1**O", "HL*2**I", "HL*3**O"], ["HL[5]"]),
        ("816", "BHT*ZZZZ*00*1*20260302~N1*ST*A", ["HL*1**35", "HL*2**36", "HL*3*1*36"], ["HL[6]"]),
    ],
)
def test_levels_of_sets_without_a_structure_code_are_reported(
    name: str, head: str, levels: list[str], reported: list[str]
) -> None:
    below = {"O": "PRF*P1", "I": "PO1*1*2*EA***VN*A", "35": "N1*ST*A", "36": "N1*ST*B"}
    segments = [*head.split("~"), *(one for level in levels for one in (level, below[level.split("*")[3]]))]
    reading = read_one(name, segments)
    assert reading.document is not None, reading.error
    assert [w.partition(" ")[0] for w in reading.warnings if "HL" in w] == reported


def test_all_sets_with_a_tree_of_levels_are_looked_at() -> None:
    declared = {name: set_declaration(name, "005010").structure for name in known_sets()}
    trees = {name for name, all in declared.items() if any(isinstance(one, Loop) and one.tree for one in all)}
    assert trees == TREES


def test_one_parent_is_enough_and_the_others_are_roots() -> None:
    reading = one(notice(["S", "O<1", "I", "I<2", "O", "I<5"]))
    assert isinstance(reading.document, ShipNotice)
    assert shape(reading.document.levels) == "S(O(I)) I O(I)"
    assert [w for w in reading.warnings if "HL02" in w] == [
        "HL[6] has no parent (HL02): taken as a root",
        "HL[12] has no parent (HL02): taken as a root",
    ]


def test_many_roots_are_counted() -> None:
    reading = one(notice(["S", "O<1", *["O"] * 150]))
    warned = [w for w in reading.warnings if "HL" in w]
    assert len(warned) == 101
    assert "50 more HL without a parent" in warned


def test_parents_that_are_named_are_not_looked_at() -> None:
    reading = one(notice(["S", "O<1", "P<2", "I<3"], "ZZZZ"))
    assert isinstance(reading.document, ShipNotice)
    assert reading.warnings == ()


def test_lineage_follows_the_same_levels() -> None:
    data = notice(["S", "O", "I", "I", "O", "I"], "0004")
    header = event = None
    for found in events(BytesBody(data)):
        header = found.header or header
        event = event or (found if found.kind == "ST" else None)
    assert header is not None
    assert event is not None
    fields = {origin.field: origin.text for origin in lineage(event, header.delimiters, "004010")}
    assert fields["levels[0].levels[0].order.number"] == "PO-2"
    assert fields["levels[0].levels[0].levels[1].quantity"] == "4"
    assert fields["levels[0].levels[1].levels[0].quantity"] == "6"


def test_levels_without_numbers_are_numbered_when_they_are_written() -> None:
    document = one(notice(["S", "O", "I", "I", "O", "I"], "0004")).document
    assert isinstance(document, ShipNotice)

    def bare(levels: Sequence[Level], keep: frozenset[str]) -> tuple[Level, ...]:
        return tuple(
            level.model_copy(update={"id": level.id if level.id in keep else None, "levels": bare(level.levels, keep)})
            for level in levels
        )

    for keep, wanted in (
        (frozenset[str](), ["1*", "2*1", "3*2", "4*2", "5*1", "6*5"]),
        (frozenset({"1", "3"}), ["1*", "2*1", "3*2", "4*2", "5*1", "6*5"]),
        (frozenset({"5"}), ["1*", "2*1", "3*2", "4*2", "5*1", "6*5"]),
    ):
        unnumbered = document.model_copy(update={"levels": bare(document.levels, keep)})
        written = write_interchange([unnumbered], ACME, 7, AT).body
        hl = [line.decode()[3:].rsplit("*", 2)[0] for line in written.split(b"~") if line.startswith(b"HL*")]
        assert hl == wanted
        back = one(written).document
        assert isinstance(back, ShipNotice)
        assert list(changed_fields(unnumbered, back)) == []
        assert shape(back.levels) == "S(O(I I) O(I))"
