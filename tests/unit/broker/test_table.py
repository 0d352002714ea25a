"""Headers to bytes and back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.broker.properties import decode_properties, encode_properties
from hub.broker.table import DEEPEST, UNDECODABLE, decode_table, encode_table
from hub.core.errors import MessageError
from hub.core.message import Message

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(lambda name: len(name.encode()) <= 255)
decimals = st.builds(
    lambda mantissa, scale: Decimal(mantissa).scaleb(-scale), st.integers(-(2**31), 2**31 - 1), st.integers(0, 20)
)
times = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0)
)
plain: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(),
    texts,
    decimals,
    times,
)
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws slowly
@given(st.dictionaries(names, values))
def test_a_table_survives_the_round_trip(table: dict[str, Any]) -> None:
    data = encode_table(table)
    assert decode_table(data) == (table, len(data))


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_fail(junk: bytes) -> None:
    table, _ = decode_table(len(junk).to_bytes(4, "big") + junk)
    assert all(isinstance(name, str) for name in table)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=200))
def test_no_properties_make_the_decoder_fail(junk: bytes) -> None:
    message = decode_properties(junk, b"body")
    assert message.body == b"body"


@settings(deadline=None, max_examples=30)
@given(names, names, st.none() | names, st.dictionaries(names, values))
def test_a_message_survives_the_round_trip(id: str, kind: str, reply: str | None, headers: dict[str, Any]) -> None:
    message = Message(id, b"body", kind, headers, reply, reply, reply)
    assert decode_properties(encode_properties(message), b"body") == message


def test_what_does_not_make_sense_is_kept_as_bytes() -> None:
    good = encode_table({"a": 1})[4:]
    bad = b"\x01bZ???"
    table, _ = decode_table((len(good) + len(bad)).to_bytes(4, "big") + good + bad)
    assert table == {"a": 1, UNDECODABLE: bad}


def test_names_and_texts_that_are_not_utf_8() -> None:
    table, _ = decode_table(b"\x00\x00\x00\x09" + b"\x01\xffS\x00\x00\x00\x02\xfe\xfd")
    assert table == {"\\xff": b"\xfe\xfd"}


def test_deep_nesting_stays_bytes_and_does_not_exhaust_the_stack() -> None:
    data = b""
    for _ in range(5000):
        data = b"\x01aF" + len(data).to_bytes(4, "big") + data
    table, _ = decode_table(len(data).to_bytes(4, "big") + data)
    depth = 0
    value: Any = table
    while isinstance(value, dict):
        value, depth = value["a"], depth + 1
    assert depth == DEEPEST
    assert isinstance(value, bytes)


def test_a_time_beyond_the_calendar_stays_a_number() -> None:
    table, _ = decode_table(b"\x00\x00\x00\x0b" + b"\x01tT" + (2**63).to_bytes(8, "big"))
    assert table == {"t": 2**63}


@pytest.mark.parametrize(
    "value",
    [object(), 2**63, Decimal("1e-300"), Decimal("12345678901"), Decimal("NaN"), {1: "x"}, {"n" * 256: 1}, {"a": {2}}],
)
def test_what_amqp_cannot_carry_names_its_header(value: Any) -> None:
    with pytest.raises(MessageError, match="hub-thing"):
        encode_table({"hub-thing": value})


def test_a_header_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(MessageError, match="loop"):
        encode_table({"loop": loop})


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(MessageError, match="message id"):
        encode_properties(Message("\ud800", b""))
