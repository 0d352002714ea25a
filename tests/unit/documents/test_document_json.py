"""Documents go to JSON and back without loss, always the same way; what isn't one is refused with its place."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub.core.errors import DecodeError
from hub.documents import (
    DOCUMENTS,
    Document,
    Invoice,
    Order,
    ShipNotice,
    document_name,
    from_json,
    json_schema,
    to_json,
)
from hub.documents.parts.commerce import Adjustment
from hub.documents.parts.identifiers import Identifiers
from hub.documents.parts.line import Line
from hub.documents.parts.parts import Address, Milestone, MonetaryAmount, Party
from hub.documents.transport.ship_notice import Level, OrderShipped


def order(**changes: object) -> Order:
    values: dict[str, object] = {
        "number": "104582",
        "partner": "ACME",
        "date": date(2026, 3, 2),
        "parties": (Party(role="ship_to", ids=Identifiers({"92": "0012"}), address=Address(state="OH")),),
        "dates": (Milestone(purpose="delivery_requested", date=date(2026, 3, 9)),),
        "lines": (
            Line(number="1", quantity=Decimal("24"), price=Decimal("12.750"), products=Identifiers({"UP": "1"})),
        ),
    }
    return Order.model_validate({**values, **changes})


def notice() -> ShipNotice:
    item = Level(level="item", products=Identifiers({"UP": "1", "LT": "L-9", "SN": "S-1"}), quantity=Decimal(3))
    pack = Level(level="pack", marks=({"qualifier": "GM", "id": "00128"},), levels=(item,))  # type: ignore[arg-type]
    ordered = Level(level="order", order=OrderShipped(number="104582"), levels=(pack,))
    return ShipNotice(number="ASN1", levels=(Level(level="shipment", levels=(ordered,)),))


@pytest.mark.parametrize("document", [order(), notice(), Invoice(number="I-1"), Order(number="1")])
def test_a_document_survives_json_and_names_itself_first(document: Document) -> None:
    data = to_json(document)
    assert data.startswith(f'{{"document":"{document_name(document)}"'.encode())
    assert from_json(data) == document
    assert to_json(from_json(data)) == data
    Draft202012Validator(json_schema(document.kind)).validate(json.loads(data))


def test_defaults_are_left_out_whether_they_were_given_or_not() -> None:
    given_explicitly = b'{"document":"order@1","number":"1","lines":[],"partner":null,"totals":{}}'
    assert to_json(from_json(given_explicitly)) == b'{"document":"order@1","number":"1"}'


@pytest.mark.parametrize("text", ["12.50", "0.1", "-7", "123456789012345678901.123456789012345678901", "1E+5", "9.990"])
def test_numbers_keep_every_digit_as_string_and_as_json_number(text: str) -> None:
    for written in (f'"{text}"', text):
        data = f'{{"document":"order@1","number":"1","lines":[{{"price":{written}}}]}}'.encode()
        read = from_json(data)
        assert isinstance(read, Order)
        assert str(read.lines[0].price) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_any_amount_survives(value: Decimal) -> None:
    document = order(amounts=(MonetaryAmount(qualifier="TT", value=value),))
    read = from_json(to_json(document))
    assert read.total is not None
    assert str(read.total) == str(value)


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        (b"", None, "not JSON"),
        (b"\xff\xfe\x00", None, "not JSON"),
        (b"[1, 2]", "$", "expected an object"),
        (b'"order"', "$", "expected an object"),
        (b"{}", "$", "no key 'document'"),
        (b'{"document":"ordr@1"}', "$.document", "(did you mean 'order@1'?)"),
        (b'{"document":"order@9"}', "$.document", "has a version that isn't known"),
        (b'{"document":"order@1"}', "$.number", "'number' is missing"),
        (b'{"document":"order@1","number":""}', "$.number", "found ''"),
        (b'{"document":"order@1","number":104582}', "$.number", "found 104582, expected a valid string"),
        (
            b'{"document":"order@1","number":"1","lines":[{},{"quantity":"twelve"}]}',
            "$.lines[1].quantity",
            "found 'twelve'",
        ),
        (b'{"document":"order@1","number":"1","lines":[{"price":true}]}', "$.lines[0].price", "found True"),
        (
            b'{"document":"order@1","number":"1","lines":[{"price":1.5,"quantity":[]}]}',
            "$.lines[0].quantity",
            "found []",
        ),
        (b'{"document":"order@1","number":"1","lines":[{"price":"1_000"}]}', "$.lines[0].price", "found '1_000'"),
        (b'{"document":"order@1","number":"1","lines":[{"price":"NaN"}]}', "$.lines[0].price", "found 'NaN'"),
        (b'{"document":"order@1","number":"1","lines":[{"price":NaN}]}', "$.lines[0].price", "found nan"),
        (
            b'{"document":"order@1","number":"1","lines":[{"price":"1E+99999999"}]}',
            "$.lines[0].price",
            "expected a number",
        ),
        (b'{"document":"order@1","number":"1","date":"2026-02-30"}', "$.date", "found '2026-02-30'"),
        (b'{"document":"order@1","number":"1","nubmer":"2"}', "$.nubmer", "isn't known (did you mean 'number'?)"),
        (b'{"document":"order@1","number":"1","lines":{}}', "$.lines", "found {}"),
    ],
)
def test_what_is_not_a_document_is_refused_with_its_path(data: bytes, place: str | None, said: str) -> None:
    with pytest.raises(DecodeError) as refused:
        from_json(data)
    assert said in refused.value.text
    assert place is None or refused.value.segment == place


def test_another_document_than_expected_is_refused_and_the_key_may_be_missing_when_one_is_expected() -> None:
    with pytest.raises(DecodeError, match=r"found the document 'invoice@1', expected 'order@1'"):
        from_json(b'{"document":"invoice@1","number":"1"}', "order@1")
    assert from_json(b'{"number":"1"}', "order@1") == Order(number="1")


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b'{"a":1.5,"b":' + b"[" * 200_000, b'{"document":"order@1","a":' * 5000]
)
def test_deep_json_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="not JSON"):
        from_json(data)


def test_many_lines_are_read() -> None:
    line = '{"quantity":"1","price":2.5}'
    data = f'{{"document":"order@1","number":"1","lines":[{",".join([line] * 20_000)}]}}'.encode()
    assert from_json(data).total == Decimal("50000.0")


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_any_bytes_are_a_document_or_a_decode_error(data: bytes) -> None:
    for body in (data, to_json(order())[: len(data)] + data):
        with suppress(DecodeError):
            assert from_json(body).number


def test_documents_are_frozen_through_and_through() -> None:
    document = order()
    with pytest.raises(ValueError, match="frozen"):
        document.number = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        document.lines[0].products["UP"] = "2"
    with pytest.raises(TypeError):
        document.lines[0].products.update({"UP": "2"})
    assert hash(document) == hash(from_json(to_json(document)))


def test_the_total_is_the_one_carried_else_the_one_computed() -> None:
    assert (order().total, order().total_computed) == (Decimal("306.000"), True)
    carried = order(amounts=(MonetaryAmount(qualifier="TT", value=Decimal(5)),))
    assert (carried.total, carried.total_computed) == (Decimal(5), False)
    stated = order(totals={"amount": "7"})
    assert (stated.total, stated.total_computed) == (Decimal(7), False)


def test_an_order_without_prices_or_lines_has_no_total() -> None:
    unpriced = order(lines=(Line(quantity=Decimal(1), price=Decimal(1)), Line(quantity=Decimal(1))))
    assert (unpriced.total, unpriced.total_computed) == (None, False)
    assert order(lines=()).total is None


def test_allowances_subtract_charges_add_and_a_price_may_be_for_a_hundred() -> None:
    line = Line(
        quantity=Decimal(500),
        price=Decimal("12.34"),
        price_basis="HP",
        adjustments=(Adjustment(kind="allowance", amount=Decimal("1.70")),),
    )
    assert line.amount == Decimal("60.00")
    document = order(
        lines=(line,),
        adjustments=(Adjustment(kind="charge", percent=Decimal(10)), Adjustment(kind="N", amount=Decimal(99))),
    )
    assert document.total == Decimal("66.00")


def test_an_invoice_without_a_stated_total_adds_its_taxes() -> None:
    invoice = Invoice.model_validate(
        {"number": "1", "lines": [{"quantity": "2", "price": "3"}], "taxes": [{"type": "ST", "amount": "0.42"}]}
    )
    assert (invoice.total, invoice.total_computed) == (Decimal("6.42"), True)


def test_parties_are_found_by_role() -> None:
    document = order()
    assert document.ship_to is not None
    assert document.ship_to.address is not None
    assert (document.ship_to.address.state, document.ship_to.id) == ("OH", "0012")
    assert (document.bill_to, document.delivery_requested) == (None, date(2026, 3, 9))


def test_a_ship_notice_is_a_tree() -> None:
    document = notice()
    assert [level.level for level in document.walk()] == ["shipment", "order", "pack", "item"]
    assert document.orders == ("104582",)
    assert document.items[0].lots == ("L-9",)
    assert document.items[0].serials == ("S-1",)
    assert [level.sscc for level in document.walk()] == [None, None, "00128", None]
    assert document.keys == (("shipment", "ASN1"), ("order", "104582"))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_each_kind_exports_a_schema_that_is_one(kind: str) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
