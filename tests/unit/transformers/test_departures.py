"""What in a file departs from an agreement, and what doesn't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId, OverlayRule, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from tests.golden.x12_files import FIXTURES
from transformers.x12.lineage.inspection import TransactionSeen, inspect
from transformers.x12.terms.departures import ADVICE, Departure, departures

SMALL = (FIXTURES / "850-small.edi").read_bytes()
ACME = Agreement(
    "ACME",
    (InterchangeId("01", "043645501"),),
    InterchangeId("01", "068717859"),
    version="004010",
    receive=("850",),
    separators=Separators(newline="\n"),
    stated=frozenset(("version", "receive", "delimiters", "delimiters.element", "delimiters.newline")),
)


def found(agreement: Agreement, data: bytes = SMALL) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in departures(BytesBody(data), agreement) if not one.note]


def test_what_is_agreed_departs_from_nothing() -> None:
    assert found(ACME) == []


def test_what_nobody_agreed_on_cant_be_departed_from() -> None:
    odd = (FIXTURES / "850-odd-delimiters.edi").read_bytes()
    assert found(Agreement("ACME", ()), odd) == []


def test_what_is_agreed_and_isnt_in_the_file_is_no_departure() -> None:
    more = replace(
        ACME,
        ids=(*ACME.ids, InterchangeId("ZZ", "OTHER")),
        receive=("850", "856"),
        overlays={"856": (OverlayRule("BSN/BSN05", use="M"),)},
    )
    assert found(more) == []


STATED = ACME.stated


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"ids": (InterchangeId("ZZ", "X"),)}, "ids", "the sender is 01/043645501, and ACME is ZZ/X"),
        ({"we": InterchangeId("ZZ", "US")}, "ids", "the receiver is 01/068717859, and we are ZZ/US"),
        (
            {"ids": (InterchangeId("01", "043645501", True),)},
            "test",
            "ISA15 is P (production), and 01/043645501 is for test only",
        ),
        ({"test": True, "stated": STATED | {"test"}}, "test", "ISA15 is P, and the agreement says test: true"),
        ({"version": "005010"}, "version", "GS08 is '004010', and 005010 is agreed"),
        ({"version": "004010VICS"}, "version", "GS08 is '004010', and 004010VICS is agreed"),
        ({"group_they": "ACMEPO"}, "group", "GS02 is '043645501', and they are ACMEPO there"),
        ({"group_we": "HUB"}, "group", "GS03 is '068717859', and we are HUB there"),
        ({"receive": ("856",)}, "set", "ACME sends 850, and the agreement has only 856"),
        (
            {"separators": Separators(element="|", newline="\n")},
            "delimiters",
            "the element separator is '*', and '|' is agreed",
        ),
        (
            {"separators": Separators(terminator="'", newline="\n"), "stated": STATED | {"delimiters.terminator"}},
            "delimiters",
            "the terminator is '~', and \"'\" is agreed",
        ),
        ({"separators": Separators()}, "delimiters", "segments are followed by lf, and none is agreed (newline)"),
        (
            {"overlays": {"850": (OverlayRule("BEG/BEG02", codes=("NE",)),)}},
            "content",
            "Purchase Order Type Code: found 'SA', expected one of NE",
        ),
        (
            {"overlays": {"850": (OverlayRule("BEG/BEG03", max_length=3),)}},
            "content",
            "Purchase Order Number: found 6 characters ('104582'), expected at most 3",
        ),
        (
            {"overlays": {"850": (OverlayRule("FOB", use="M"),)}},
            "content",
            "the mandatory segment FOB is missing before",
        ),
        ({"overlays": {"850": (OverlayRule("CUR/CUR02", use="X"),)}}, "content", "Currency Code isn't used between us"),
    ],
)
def test_a_departure(changes: dict[str, object], kind: str, text: str) -> None:
    (one,) = found(replace(ACME, **changes))  # type: ignore[arg-type]
    assert one[0] == kind
    assert one[1].startswith(text)


def test_what_is_accepted_with_its_errors_is_told_as_that_and_once() -> None:
    accepting = replace(ACME, acknowledge=Acknowledge(errors="accept"))
    data = SMALL.replace(b"CUR*BY*USD", b"CUR*BY*USDX")
    for terms, kind in ((ACME, "content"), (accepting, "accepted")):
        (one,) = departures(BytesBody(data), terms)
        assert (one.kind, one.note) == (kind, False)
    assert "taken with its errors" in ADVICE["accepted"]
    (transaction,) = [
        one for one in inspect(BytesBody(data), PartnerDirectory(), accepting) if isinstance(one, TransactionSeen)
    ]
    assert (transaction.status, len(transaction.findings), transaction.read.warnings) == ("accepted_with_errors", 1, ())


def test_the_character_set_counts_where_it_is_agreed() -> None:
    latin = (FIXTURES / "850-latin1.edi").read_bytes()
    assert found(replace(ACME, charset="utf-8"), latin) == []
    agreed = replace(ACME, charset="utf-8", stated=STATED | {"charset"})
    assert found(agreed, latin) == [("charset", "the bytes aren't UTF-8, as is agreed")]
    basic = replace(ACME, charset="basic", stated=STATED | {"charset"})
    assert {kind for kind, _ in found(basic, latin)} == {"content"}


def test_a_departure_says_where_it_is() -> None:
    rule = replace(ACME, overlays={"850": (OverlayRule("BEG/BEG02", codes=("NE",)),)})
    (one,) = departures(BytesBody(SMALL), rule)
    assert one.where == "interchange 1, group 1, 850 0001, BEG02 (segment 2, byte 172)"
    assert SMALL[172:].startswith(b"BEG")
    assert one.as_dict()["advice"] == ADVICE["content"]
    assert one.as_dict() | {"text": "", "where": "", "advice": ""} == {
        **{
            "kind": "content",
            "note": False,
            "text": "",
            "where": "",
            "advice": "",
            "interchange": 1,
            "group": 1,
            "set": "850",
        },
        **{"control_number": "0001", "segment": "BEG", "position": 2, "element": 2, "code": "7", "value": "SA"},
        **{"offset": 172},
    }


def test_broken_envelopes_and_stray_bytes_are_departures() -> None:
    cut = found(ACME, SMALL[: len(SMALL) // 2])
    assert cut[0] == ("envelope", "the interchange has no IEA: it breaks off")
    assert found(ACME, b"Dear sirs,\n" + SMALL)[0][0] == "envelope"
    assert found(ACME, b"") == [("envelope", "found no interchange: the file is empty")]


def test_a_code_outside_of_an_unverified_list_is_a_note() -> None:
    data = SMALL.replace(b"BEG*00*SA*", b"BEG*00*ZP*")
    (one,) = departures(BytesBody(data), ACME)
    assert one.note
    assert "'ZP'" in one.text
    added = replace(ACME, overlays={"850": (OverlayRule("BEG/BEG02", add=("ZP",)),)})
    assert list(departures(BytesBody(data), added)) == []


def test_one_departure_doesnt_hide_those_of_its_neighbours() -> None:
    data = (FIXTURES / "850-two-groups.edi").read_bytes()
    told: list[Departure] = [
        one
        for one in departures(BytesBody(data), replace(ACME, overlays={"850": (OverlayRule("CUR", use="X"),)}))
        if one.kind == "content"
    ]
    assert [(one.group, one.control_number) for one in told] == [(1, "0001"), (2, "0001"), (2, "0002")]
