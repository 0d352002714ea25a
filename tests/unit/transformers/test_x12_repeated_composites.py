"""A composite that comes several times in one element: it has no value of its own, and is kept whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document, from_json, to_json
from hub.documents.acknowledgments.functional_acknowledgment import FunctionalAcknowledgment
from transformers.x12.reading.reader import X12Reader
from transformers.x12.writing.writer import write_interchange

HEAD = b"ISA*00*          *00*          *01*043645501      *01*068717859      *260302*0815*^*00501*000000033*0*P*>~"
BODY = (
    b"GS*FA*043645501*068717859*20260302*0815*1*X*005010~ST*999*0001~AK1*PO*7*005010~AK2*850*0001~IK3*REF*5**I6~"
    b"CTX*%s~IK5*R*I5~AK9*P*1*1*0~SE*8*0001~GE*1*1~IEA*1*000000033~"
)
TERMS = Agreement("", (InterchangeId("01", "1"),), InterchangeId("01", "2"), acknowledge=Acknowledge("999"))


def read(data: bytes) -> Document:
    (reading,) = X12Reader(PartnerDirectory()).read(BytesBody(data))
    assert reading.document is not None, reading.error
    return reading.document


@pytest.mark.parametrize("context", [b"SITUATIONAL TRIGGER^BEG03>4500771823", b"^EG03>4500771823"])
def test_it_is_kept_stored_written_and_traced(context: bytes) -> None:
    data = HEAD + BODY % context
    document = read(data)
    assert isinstance(document, FunctionalAcknowledgment)
    (kept,) = document.extras
    assert kept.segment == "CTX"
    assert from_json(to_json(document)) == document
    written = write_interchange([document], TERMS, 1, datetime(2026, 3, 2, tzinfo=UTC), version="005010").body
    assert b"CTX*" + context in written
    assert read(written).extras == document.extras
    ((_, origins),) = X12Reader(PartnerDirectory()).lineages(BytesBody(data), [("1", "1", "1")])
    assert not [origin for origin in origins if "contexts" in origin.field]


def test_a_single_one_has_its_values() -> None:
    document = read(HEAD + BODY % b"BEG03>4500771823")
    assert isinstance(document, FunctionalAcknowledgment)
    (context,) = document.transactions[0].segments[0].contexts
    assert (context.name, context.reference, document.extras) == ("BEG03", "4500771823", ())
