"""In which order what is read is written again."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.core.agreement import Agreement, InterchangeId, OverlayRule
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import Document, Order, ShipNotice
from hub.documents.parts.parts import Reference
from hub.documents.transport.ship_notice import Level
from transformers.x12 import X12Reader
from transformers.x12.writing.writer import write_interchange

ACME = Agreement("ACME", (InterchangeId("01", "043645501"),), InterchangeId("01", "068717859"), "004010")
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


def written(document: Document, agreement: Agreement = ACME) -> list[str]:
    return write_interchange([document], agreement, 1, AT).body.decode().split("~")


def test_levels_stand_in_the_order_of_their_ids() -> None:
    text = (
        "ISA*00*          *00*          *01*043645501      *01*068717859      *260302*0815*U*00401*000000001*0*P*>~"
        "GS*SH*A*B*20260302*0815*1*X*004010~ST*856*0001~BSN*00*A1*20260302*0815~"
        "HL*1**S~HL*2*1*O~HL*3*1*O~HL*4*2*I~LIN**UP*036000291452~SN1**1*EA~HL*5*3*I~LIN**UP*036000291469~SN1**2*EA~"
        "SE*12*0001~GE*1*1~IEA*1*000000001~"
    )
    (reading,) = X12Reader(PartnerDirectory()).read(BytesBody(text.encode()))
    assert isinstance(reading.document, ShipNotice), reading.error
    assert [s[:8] for s in written(reading.document) if s.startswith("HL")] == [
        *("HL*1**S*", "HL*2*1*O", "HL*3*1*O", "HL*4*2*I", "HL*5*3*I"),
    ]


def test_levels_with_other_ids_stand_below_their_parents() -> None:
    item = Level(id="B", level="item")
    notice = ShipNotice(
        number="A1",
        purpose="00",
        date=AT.date(),
        time="0815",
        levels=(Level(id="A", level="shipment", levels=(item,)),),
    )
    assert [s for s in written(notice) if s.startswith("HL")] == ["HL*A**S*1", "HL*B*A*I*0"]


def test_an_agreed_default_is_written_in_every_segment_without_the_value() -> None:
    rules = {"850": (OverlayRule("REF/REF03", default="NONE"),)}
    order = Order(
        number="1", type="SA", purpose="00", date=AT.date(), references=(Reference(qualifier="DP", value="1"),)
    )
    order = order.model_copy(update={"lines": ()})
    agreed = Agreement("ACME", ACME.ids, ACME.we, "004010", overlays=rules | {})
    lines = Order.model_validate({**order.model_dump(), "lines": [{"quantity": "1", "unit": "EA"}]})
    assert "REF*DP*1*NONE" in written(lines, agreed)
