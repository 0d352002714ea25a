"""An interchange that is refused whole is found by the numbers of what is in it."""

from __future__ import annotations

import pytest

from hub.core.partners import PartnerDirectory
from hub.core.ports import DUPLICATES, BytesBody
from tests.support.x12 import orders_850
from transformers.x12.reading.reader import X12Reader

SEEN = {DUPLICATES: {"1": "taken on 2026-03-02 as acme_17.edi"}}


@pytest.mark.parametrize("newline", ["", "\n", "\r\n"])
def test_a_duplicate_has_the_numbers_of_its_orders(newline: str) -> None:
    body = orders_850(["4711", "4712"], 17, newline=newline) + orders_850(["4713"], 18)
    readings = list(X12Reader(PartnerDirectory(), ()).read(BytesBody(body), SEEN))
    refused = [reading for reading in readings if reading.error is not None]
    assert [reading.position for reading in refused] == [("1",)]
    assert [value for kind, value in refused[0].keys if kind == "number"] == ["4711", "4712"]
    assert ("control_number", "000000017") in refused[0].keys
    assert [reading.document.number for reading in readings if reading.document is not None] == ["4713"]


def test_its_numbers_are_those_that_reading_gives() -> None:
    body = orders_850(["47\u201911"], 17).decode().replace("~", "~\f\v ").encode("cp1252")
    (taken,) = X12Reader(PartnerDirectory(), ()).read(BytesBody(body))
    (refused,) = X12Reader(PartnerDirectory(), ()).read(BytesBody(body), SEEN)
    assert taken.document is not None
    assert ("number", taken.document.number) in refused.keys
    assert taken.document.number == "47\u201911"


def test_one_that_is_cut_off_is_refused_all_the_same() -> None:
    whole = orders_850(["4711", "4712"], 17)
    body = whole[: whole.index(b"4712") + 40]
    readings = list(X12Reader(PartnerDirectory(), ()).read(BytesBody(body), SEEN))
    first = next(reading for reading in readings if reading.position == ("1",))
    assert first.error is not None
    assert ("number", "4711") in first.keys
