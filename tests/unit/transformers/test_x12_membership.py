"""What stands where: transactions in groups of their kind, groups with numbers of their own, trailers behind what they
end, levels that count up. Told in reading and in inspection alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import InterchangeAcknowledgment
from tests.golden.x12_files import FIXTURES
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader
from transformers.x12.lineage.inspection import GroupSeen, Stray, TransactionSeen, inspect
from transformers.x12.reading.membership import kinds

ACME = Agreement("ACME", (InterchangeId("01", "043645501"),))
TWICE = interchange([transaction("1")], [transaction("2")]).replace("*2*X*", "*1*X*").replace("GE*1*2", "GE*1*1")
LEVELS = (FIXTURES / "856-sotpi.edi").read_text()


def under(agreement: Agreement, data: str) -> list[Reading]:
    return list(X12Reader(PartnerDirectory([agreement])).read(BytesBody(data.encode())))


def seen(agreement: Agreement, data: str) -> list[object]:
    return list(inspect(BytesBody(data.encode()), PartnerDirectory([agreement])))


def test_each_set_has_the_group_that_the_standard_gives_it() -> None:
    assert kinds() == {
        **{"180": "AN", "204": "SM", "210": "IM", "214": "QM", "810": "IN", "816": "OR", "820": "RA", "824": "AG"},
        **{"830": "PS", "832": "SC", "846": "IB", "850": "PO", "852": "PD", "855": "PR", "856": "SH", "857": "BS"},
        **{"860": "PC", "861": "RC", "862": "SS", "865": "CA", "990": "GF"},
        **{"867": "PT", "870": "RS", "875": "OG", "880": "GP", "940": "OW", "943": "AR", "944": "RE", "945": "SW"},
        **{"997": "FA", "999": "FA"},
    }


def test_a_set_in_a_group_of_another_kind_is_taken_only_where_errors_are_accepted() -> None:
    data = interchange([transaction("1")]).replace("GS*PO*", "GS*IN*")
    (reading,) = under(ACME, data)
    assert reading.error is not None
    assert (reading.error.x12_code, reading.error.element) == ("6", "ST01")
    assert reading.error.text == "GS01 is 'IN', and a 850 stands in a group of PO"
    accepting = replace(ACME, acknowledge=Acknowledge(errors="accept"))
    reading, _ = under(accepting, data)
    assert reading.document is not None
    assert reading.warnings == ("GS01 is 'IN', and a 850 stands in a group of PO",)


@pytest.mark.parametrize(("days", "taken"), [(None, ["1", "2"]), (30, ["1"])])
def test_a_group_number_that_comes_twice_is_a_duplicate_by_agreement(days: int | None, taken: list[str]) -> None:
    agreement = replace(ACME, duplicate_days=days)
    readings = under(agreement, TWICE)
    assert [r.document.number for r in readings if r.document] == taken
    told = readings[1].warnings if days is None else (readings[1].error.text if readings[1].error else "",)
    assert told == ("GS06 '1' comes twice in the interchange",)
    groups = [each for each in seen(agreement, TWICE) if isinstance(each, GroupSeen)]
    assert [group.refusal.code if group.refusal else None for group in groups] == [None, "6" if days else None]


def test_the_same_group_number_in_another_interchange_is_another_group() -> None:
    data = interchange([transaction("1")]) + interchange([transaction("2")], control=8)
    readings = under(replace(ACME, duplicate_days=30), data)
    assert [(r.error, r.warnings) for r in readings] == [(None, ()), (None, ())]


@pytest.mark.parametrize(
    ("before", "stray", "level", "code"),
    [
        ("GE*1*1~\n", "GE*1*1", "interchange", "022"),
        ("SE*7*0001~\n", "SE*7*0001", "group", "022"),
        ("\nIEA*1*000000007~\n", "IEA*1*7", "body", "024"),
    ],
)
def test_a_trailer_that_ends_nothing_is_said(before: str, stray: str, level: str, code: str) -> None:
    data = interchange([transaction("1")])
    assert before in data
    data = data.replace(before, f"{before}{stray}~\n")
    taken, *told = under(ACME, data)
    assert taken.document is not None
    assert [r.error.x12_code if r.error else None for r in told] == [code]
    assert [each.level for each in seen(ACME, data) if isinstance(each, Stray)] == [level]


def test_levels_that_do_not_count_up_are_taken_with_a_warning() -> None:
    assert all(r.warnings == () for r in under(ACME, LEVELS))
    data = LEVELS.replace("HL*9*8*", "HL*90*8*")
    (reading,) = under(ACME, data)
    assert reading.document is not None
    assert reading.warnings == ("HL01 doesn't count the levels up by one from 1",)
    (transaction,) = (each for each in seen(ACME, data) if isinstance(each, TransactionSeen))
    assert (transaction.status, transaction.read.warnings) == ("accepted", reading.warnings)


def test_each_header_that_cannot_be_used_is_answered_where_its_sender_can_be_read() -> None:
    asked = replace(ACME, acknowledge=Acknowledge(ta1="asked"))
    bad = interchange([transaction("1")]).replace("*", "-")
    unknown = bad.replace("043645501", "999999999")
    readings = under(asked, bad + unknown + bad.replace("-000000007-", "-000000008-"))
    answers = [r.document for r in readings if isinstance(r.document, InterchangeAcknowledgment)]
    assert [(a.number, a.status, a.note, a.partner) for a in answers] == [
        ("000000007", "R", "026", "ACME"),
        ("000000008", "R", "026", "ACME"),
    ]
    assert [r.error.x12_code for r in readings if r.error] == ["026", "026", "026"]
    assert len({r.position for r in readings}) == len(readings)
