"""Looking into replies by paths, and what is captured there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.ports import Receipt
from hub.core.replies.captures import captured, check_capture
from hub.core.replies.reply_body import NOTHING, check_path, look_into

XML = b"""<?xml version="1.0"?>
<o:order xmlns:o="urn:o" xmlns:x="urn:x" x:state="new"><o:id> 7 </o:id><line n="1"/><line n="2"/><ok>true</ok></o:order>"""  # noqa: E501


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        (b'{"order": {"id": 7}}', "/order/id", 7),
        (b'{"a/b": [1, {"~": 2}]}', "/a~1b/1/~0", 2),
        (b'{"order": {"id": 7}}', "/order/no", NOTHING),
        (b'{"order": 1}', "//order", NOTHING),
        (XML, "/order/id", "7"),
        (XML, "//line[2]/@n", "2"),
        (XML, "/order/@state", "new"),
        (XML, "count(//line)", "2"),
        (XML, "/order/no", NOTHING),
        (XML, "/order/[", NOTHING),
        (b"\xef\xbb\xbf <a>1</a>", "/a", "1"),
        (b"<a>1</a>", "/a", "1"),
        (b"", "/a", NOTHING),
        (b"<a", "/a", NOTHING),
        (b"plain", "/a", NOTHING),
        (b'{"a": 12345678901234567.89}', "/a", Decimal("12345678901234567.89")),
        (b'{"a": 1e999, "b": 2}', "/a", None),
        (b'{"a": 1e99999999999999999999, "b": 2}', "/b", 2),
        (b'{"a": NaN, "b": 2}', "/a", None),
    ],
)
def test_what_stands_at_a_path(body: bytes, path: str, found: Any) -> None:
    assert look_into(body, [path]).at(path) == found


@pytest.mark.parametrize(
    ("body", "path", "wanted", "is_there"),
    [
        (b'{"n": 7}', "/n", 7, True),
        (b'{"n": 7}', "/n", "7", False),
        (b'{"n": 1}', "/n", True, False),
        (b'{"n": 1.5}', "/n", 1.5, True),
        (b'{"n": 0.10}', "/n", 0.1, True),
        (b'{"n": 0.1000000000000000055511151231257827}', "/n", 0.1, False),
        (b'{"n": 2.0}', "/n", 2, True),
        (b'{"n": 2}', "/n", 2.0, True),
        (b"<n>1.5</n>", "/n", 1.5, True),
        (XML, "/order/id", 7, True),
        (XML, "/order/ok", True, True),
        (XML, "/order/no", None, False),
    ],
)
def test_values_are_compared_as_the_format_has_them(body: bytes, path: str, wanted: Any, is_there: bool) -> None:
    assert look_into(body, [path]).is_at(path, wanted) is is_there


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a>1</a>',
        b'<!DOCTYPE a [<!ENTITY x "1"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
        b"<a>" * 5000 + b"</a>" * 5000,
        b'<a b="' + b"x" * 11_000_000 + b'"/>',
        b"[" * 100_000,
    ],
    ids=["file", "network", "entities", "deep", "attribute", "brackets"],
)
def test_a_hostile_body_holds_nothing(body: bytes) -> None:
    assert look_into(body, ["/a"]).at("/a") is NOTHING


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_body_and_no_path_breaks_it(body: bytes, path: str) -> None:
    look_into(body, [f"/{path}"])
    look_into(b"<" + body, [f"/{path}"])


@pytest.mark.parametrize("path", ["a", "a/b", "//[", "/a[@"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        check_path(path)


def test_identifiers_are_captured_and_what_is_missing_is_named() -> None:
    receipt = Receipt(reply=b'{"id": 7, "deep": {}, "long": "%s"}' % (b"x" * 300), headers={"location": "/orders/7"})
    wanted = {
        "order": "/id",
        "place": "header.Location",
        "deep": "/deep",
        "long": "/long",
        "none": "/x",
        "h": "header.X",
    }
    found, missing = captured(wanted, receipt)
    assert found == (("order", "7"), ("place", "/orders/7"))
    assert missing == ("deep", "long", "none", "h")


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (b"104582", "104582"),
        (b"104582.0", "104582"),
        (b"1.045e2", "104.5"),
        (b"12345678901234567.89", "12345678901234567.89"),
        (b"1e5", "100000"),
        (b"1e300000000", None),
    ],
)
def test_a_number_is_captured_digit_by_digit(number: bytes, key: str | None) -> None:
    found, _ = captured({"order": "/id"}, Receipt(reply=b'{"id": %s}' % number))
    assert found == ((("order", key),) if key is not None else ())


@pytest.mark.parametrize(
    ("name", "origin"), [("Order", "/id"), ("a b", "/id"), ("order", "id"), ("order", "header."), ("order", "//[")]
)
def test_captures_that_make_no_sense_are_refused(name: str, origin: str) -> None:
    with pytest.raises(ValueError):
        check_capture(name, origin)
