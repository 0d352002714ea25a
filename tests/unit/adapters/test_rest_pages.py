"""What stands in the pages of a list."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.rest.http_response import HttpResponse
from adapters.rest.list_options import RestSourceOptions
from adapters.rest.page import MOST_ITEMS, Item, Page, page_from, page_of, pieces_of, read, scalar
from hub.core.errors import DecodeError


def test_a_cursor_is_its_text_digit_by_digit() -> None:
    found = read(b'[1.50, 7, "7", true, null, ""]', "the reply")
    assert [scalar(one) for one in found] == ["1.50", "7", "7", None, None, None]


@pytest.mark.parametrize("number", [b"1e200000000", b"1e99999999999999999999", b"0e-200000000"])
def test_a_number_that_would_fill_the_memory_is_no_json(number: bytes) -> None:
    with pytest.raises(DecodeError, match=r"the reply can't be read as JSON: .*expected a number"):
        read(number, "the reply")


def test_a_long_cursor_is_refused() -> None:
    assert scalar(Decimal("1e60")) == "1" + 60 * "0"
    with pytest.raises(DecodeError, match="found a cursor, token or name of 1001 characters; 1000 are the most"):
        scalar("x" * 1001)


def options(**more: object) -> RestSourceOptions:
    return RestSourceOptions.model_validate(
        {"endpoint": "e", "call": "GET /o", "every": "1m", "items": "/data/orders", "id": "/id", **more}
    )


def page(body: bytes, **more: object) -> Page:
    return page_of(HttpResponse(200, {"etag": '"e"'}, body), options(**more), "http://e/o", "http://e/o")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"data": {"orders": [1], "orders": [2]}}', "orders"),
        (b'{"data": {"orders": [1], "orders": null}}', "orders"),
        (b'{"data": {"orders": null, "orders": [1]}}', "orders"),
        (b'{"data": {"orders": [1]}, "data": {}}', "data"),
        (b'{"data": {"orders": [1]}, "next": "a", "next": "b"}', "next"),
        (b'{"data": {"orders": [1], "x": {"y": 1, "y": 1}}, "next": "a"}', "y"),
    ],
)
def test_a_key_that_stands_twice_is_refused(body: bytes, key: str) -> None:
    with pytest.raises(DecodeError, match=f"the key '{key}' stands twice in an object"):
        page(body, next={"url": "/next"})


def test_a_second_value_behind_the_list_is_refused() -> None:
    with pytest.raises(DecodeError, match="something stands behind the JSON"):
        page(b"[1][2]", items="/", id=None)


def test_keys_that_only_look_alike_are_no_repetition() -> None:
    body = (
        b'{"orders": [{"orders": [7]}], "x": {"data": 1}, "data": {"x": {"orders": [1]}, "orders": [{"data": 1},'
        b' {"data": 2}]}}'
    )
    assert [item.body for item in page(body).items] == [b'{"data": 1}', b'{"data": 2}']


def test_the_items_of_a_reply_are_counted() -> None:
    with pytest.raises(DecodeError, match="the list has more than 100000 items in one reply; ask for fewer"):
        page(b"[" + b"1," * MOST_ITEMS + b"1]", items="/", id=None)


def test_a_page_is_the_same_in_pieces() -> None:
    body = b'{"data": {"orders": [{"id": "a"}, {"id": 2}]}, "next": "/p"}'
    whole = page(body, next={"url": "/next"})
    assert whole == Page((Item(b'{"id": "a"}', "a"), Item(b'{"id": 2}', "2")), "http://e/p", None, '"e"')
    answer = HttpResponse(200, {"etag": '"e"'}, body)
    assert page_from(list(pieces_of(answer, options(next={"url": "/next"}), "http://e/o", "http://e/o"))) == whole
