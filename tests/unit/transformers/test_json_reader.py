"""The reader `json`: one body, one Reading."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.core.context import Context
from hub.core.ports import BytesBody, FileBody, Reading
from transformers.json import PLUGIN


def read(data: bytes) -> Reading:
    reader = PLUGIN.build("shop", PLUGIN.options(document="order@1"), Context(site=None))
    (reading,) = reader.read(BytesBody(data))
    assert reading.position == ()
    assert isinstance(reading, Reading)
    return reading


def test_it_reads_the_document_that_it_was_told_to_expect() -> None:
    reading = read(b'{"number":"1"}')
    assert reading.document is not None
    assert reading.document.kind == "order"


@pytest.mark.parametrize(
    "data", [b"", b"<xml/>", b'{"document":"invoice@1","number":"1"}', b'{"number":1}', b"\x00\xff"]
)
def test_what_is_no_order_is_a_reading_with_its_error(data: bytes) -> None:
    reading = read(data)
    assert reading.document is None
    assert reading.error is not None


def test_it_reads_files(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_bytes(b'{"document":"order@1","number":"7"}')
    reader = PLUGIN.build("shop", PLUGIN.options(document="order@1"), Context(site=None))
    (reading,) = reader.read(FileBody(tmp_path / "order.json"))
    assert reading.document.number == "7"


def test_an_unknown_document_is_refused_in_the_options() -> None:
    with pytest.raises(ValidationError, match="did you mean 'order@1'"):
        PLUGIN.options.model_validate({"document": "ordr@1"})


def test_the_declaration_knows_what_it_can_yield() -> None:
    assert PLUGIN.documents(PLUGIN.options(document="ship_notice@1")) == ("ship_notice",)
