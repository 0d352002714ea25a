"""Documents that go together are one document, without loss."""

from __future__ import annotations

from typing import Any, get_args

import orjson
import pytest

from hub.core.errors import DecodeError
from hub.documents import ACKNOWLEDGMENTS, DOCUMENTS, Batch, batch_from_json, batch_to_json, from_json
from hub.documents.batch import BatchedDocument
from tests.support.site import order


def test_every_document_can_be_in_a_batch_but_the_acknowledgments() -> None:
    kinds = {cls.kind for cls in get_args(get_args(BatchedDocument)[0])}
    assert kinds == set(DOCUMENTS) - ACKNOWLEDGMENTS


def test_a_batch_reads_back_equal_and_gives_the_same_bytes() -> None:
    documents = tuple(from_json(order(number, price="9.50")) for number in ("1001", "1002"))
    batch = Batch.model_validate({"number": "abc", "partner": "ACME", "documents": documents})
    raw = batch_to_json(batch)
    assert raw.startswith(b'{"document":"batch@1","number":"abc"')
    assert b'"price":"9.50"' in raw
    assert batch_from_json(raw) == batch
    assert batch_to_json(batch_from_json(raw)) == raw
    assert batch_from_json(raw).documents == documents


def test_a_batch_is_nothing_that_comes_in() -> None:
    with pytest.raises(DecodeError, match="'batch@1' isn't known"):
        from_json(b'{"document":"batch@1","number":"1","documents":[]}')


@pytest.mark.parametrize(
    "values", [{"documents": []}, {"documents": [{"document": "functional_acknowledgment@1", "number": "1"}]}, {}]
)
def test_what_the_hub_did_not_make_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="not a batch that the hub made"):
        batch_from_json(orjson.dumps({"document": "batch@1", "number": "1", **values}))
