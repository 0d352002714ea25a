"""Control numbers without their leading zeros name the same thing: a warning, and no rejection is lost."""

from __future__ import annotations

import pytest

from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from hub.documents import FunctionalAcknowledgment
from transformers.x12.reading.reader import X12Reader

ISA = "ISA*00*          *00*          *ZZ*BUYERCO        *ZZ*SELLERCO       *260105*0930*U*00401*000000303*0*P*>~"


def body(set_: str = "0001", group: str = "9", transaction: str = "0001", trailer: str = "0001") -> bytes:
    said = f"AK1*IN*{group}~AK2*810*{transaction}~AK5*R*5~AK9*R*1*1*0~"
    begin = f"{ISA}GS*FA*BUYERCO*SELLERCO*20260105*0930*303*X*004010~ST*997*{set_}~"
    return f"{begin}{said}SE*6*{trailer}~GE*1*303~IEA*1*303~".encode()


@pytest.mark.parametrize(
    ("written", "warned"),
    [
        ({}, 0),
        ({"transaction": "1"}, 1),
        ({"trailer": "1"}, 1),
        ({"set_": "1"}, 1),
        ({"group": "000000009"}, 0),
        ({"transaction": "1", "trailer": "001", "group": "09"}, 2),
    ],
)
def test_an_unpadded_number_is_a_warning(written: dict[str, str], warned: int) -> None:
    (reading,) = X12Reader(PartnerDirectory()).read(BytesBody(body(**written)))
    assert reading.error is None
    assert len(reading.warnings) == warned
    document = reading.document
    assert isinstance(document, FunctionalAcknowledgment)
    (transaction,) = document.transactions
    assert (int(document.number), transaction.control_number, transaction.status) == (9, "0001", "R")


@pytest.mark.parametrize("written", [{"trailer": "2"}, {"transaction": "x"}, {"trailer": ""}])
def test_another_number_is_an_error(written: dict[str, str]) -> None:
    (reading,) = X12Reader(PartnerDirectory()).read(BytesBody(body(**written)))
    assert reading.error is not None
