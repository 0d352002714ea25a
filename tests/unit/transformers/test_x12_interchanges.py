"""Whose an interchange is, whether it came before, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import FunctionalAcknowledgment
from tests.unit.transformers.x12_text import interchange, transaction
from transformers.x12 import X12Reader

ACME = Agreement("ACME", (InterchangeId("01", "043645501"),), acknowledge=Acknowledge(ta1="always"))
BODY = interchange([transaction("1")])


def read(text: str, agreement: Agreement = ACME, *only: str, strangers: bool = True) -> list[Reading]:
    reader = X12Reader(PartnerDirectory([agreement, Agreement("OTHER", ())]), only, strangers=strangers)
    return list(reader.read(BytesBody(text.encode())))


def test_what_a_source_refuses_is_not_acknowledged_as_taken() -> None:
    refused, answer, _ = read(BODY, ACME, "OTHER")
    assert refused.error is not None
    assert isinstance(answer.document, FunctionalAcknowledgment)
    assert (answer.document.status, answer.document.accepted) == ("R", 0)


def test_a_stranger_is_refused_where_there_are_agreements() -> None:
    (refused,) = read(interchange([transaction("1")], sender="NOBODY"), strangers=False)
    assert refused.position == ("1",)
    assert refused.error is not None
    assert "the sender 01/NOBODY is in no agreement" in refused.error.text
    reader = X12Reader(PartnerDirectory(), strangers=False)
    assert [r.error for r in reader.read(BytesBody(BODY.encode()))] == [None]


def test_a_control_number_may_stand_in_a_body_once_where_duplicates_are_agreed_on() -> None:
    agreed = replace(ACME, duplicate_days=30, acknowledge=None)
    first, second = read(BODY + BODY, agreed)
    assert first.error is None
    assert second.error is not None
    assert (second.position, second.error.x12_code) == (("2",), "025")
    assert all(r.error is None for r in read(BODY + BODY, replace(agreed, duplicate_days=None)))


def test_a_number_belongs_to_the_id_that_sent_it_for_test_or_production() -> None:
    ids = (InterchangeId("01", "043645501"), InterchangeId("01", "ACMEWEST"))
    reader = X12Reader(PartnerDirectory([replace(ACME, ids=ids)]))
    bodies = (
        interchange([transaction("1")]),
        interchange([transaction("1")], test=True),
        interchange([transaction("1")], sender="ACMEWEST"),
    )
    found = [next(iter(reader.interchanges(BytesBody(body.encode())))) for body in bodies]
    assert len({number for _, number, _ in found}) == 3


def test_an_acknowledgment_of_an_interchange_is_not_acknowledged() -> None:
    isa, iea = BODY.split("\n")[0], "IEA*0*000000007~"
    (reading,) = read(f"{isa}\nTA1*000000001*260302*0815*A*000~\n{iea}\n")
    assert reading.document is not None
    assert reading.envelope.get("direction") != "outbound"


def test_a_thousand_wrong_groups_are_a_wrong_interchange() -> None:
    isa, iea = BODY.split("\n")[0], "IEA*1*000000007~"
    readings = read(isa + "GS*PO~" * 5000 + iea)
    assert [r.position for r in readings if r.error] == [("1",)]
