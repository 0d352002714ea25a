"""Bytes of a broker, cut anywhere: messages go to their channels, everything else to aiormq."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.heartbeat import Heartbeat

from hub.broker.rabbit import frames
from hub.broker.rabbit.frame_splitter import FrameSplitter, MalformedFrame
from tests.support.scripted_amqp import content

STREAM: list[tuple[int, Any]] = [
    (0, Heartbeat()),
    (1, commands.Basic.Deliver("c", 7, False, "x", "key")),
    (1, content(b"abcdef")),
    (2, commands.Queue.DeclareOk("q", 1, 2)),
    (1, ContentBody(b"abc")),
    (2, commands.Basic.Ack(3, multiple=True)),
    (1, ContentBody(b"def")),
    (9, commands.Basic.Deliver("c", 1, False, "", "nobody")),
    (9, content(b"")),
    (9, commands.Channel.CloseOk()),
    (2, commands.Basic.Nack(5)),
    (1, commands.Basic.Cancel("c")),
    (0, commands.Connection.Blocked("low on memory")),
    (2, commands.Basic.Return(312, "NO_ROUTE", "", "q")),
    (2, content(b"")),
    (1, commands.Channel.Close(404, "gone", 0, 0)),
]
DATA = b"".join(frame.marshal(each, number) for number, each in STREAM)
OTHERS = [0, 3, 11, 12, 15]
"""Which of them aiormq gets: those of calls and of the connection, but for channels that aren't open."""


class Noting:
    """A channel that keeps what it is told."""

    def __init__(self, number: int, told: list[tuple[int, str, bytes]]) -> None:
        self._number = number
        self._told = told

    def traffic(self, method: int, data: bytes, at: int, end: int) -> None:
        self._told.append((self._number, f"{method:08x}", data[at:end]))

    def content_header(self, data: bytes, at: int, end: int) -> None:
        self._told.append((self._number, "header", data[at:end]))

    def content_body(self, data: bytes, at: int, end: int) -> None:
        self._told.append((self._number, "body", data[at:end]))


def splitter() -> tuple[FrameSplitter, list[tuple[int, str, bytes]]]:
    told: list[tuple[int, str, bytes]] = []
    return FrameSplitter({number: Noting(number, told) for number in (1, 2)}, lambda data: data), told


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(1, len(DATA) - 1), max_size=12))
def test_a_stream_is_read_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    made, told = splitter()
    places = [0, *sorted(set(cuts)), len(DATA)]
    others = b"".join(made.split(DATA[start:end]) for start, end in itertools.pairwise(places))
    assert others == b"".join(frame.marshal(STREAM[n][1], STREAM[n][0]) for n in OTHERS)
    assert [(number, what) for number, what, _ in told] == [
        (1, f"{frames.DELIVER:08x}"), (1, "header"), (1, "body"), (2, f"{frames.ACK:08x}"), (1, "body"),
        (2, f"{frames.NACK:08x}"), (2, f"{frames.RETURN:08x}"), (2, "header"),
    ]  # fmt: skip
    assert [data for _, what, data in told if what == "body"] == [b"abc", b"def"]


def test_the_connection_decides_what_aiormq_gets_of_its_own_frames() -> None:
    made = FrameSplitter({}, lambda data: b"")
    assert made.split(frame.marshal(Heartbeat(), 0) + frame.marshal(commands.Connection.Blocked("x"), 0)) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request",
        b"AMQP\x00\x00\x09\x01",
        b"\x01\x00\x01\x00\x02\x00\x01",
        b"\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x50\x00",
        b"\x01\x00\x01\x00\x00\x00\x02\x00\x3c\xce",
        b"\x03\x00\x00\x00\x00\x00\x01x\xce",
    ],
    ids=[
        "HTTP",
        "another version",
        "a frame above the largest",
        "no end byte",
        "half a method",
        "content on channel 0",
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    made, told = splitter()
    with pytest.raises(MalformedFrame):
        made.split(data)
    assert told == []
