"""What `hub/broker/rabbit/aiormq_connection.py` takes from aiormq beside its manual: a release that moves one of these
fails here, by name."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys

import pytest
from aiormq.connection import Connection, FrameReceiver, TransportFactory
from pamqp import commands

from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.aiormq_connection import AiormqConnection
from hub.broker.rabbit.rabbit_broker import HEARTBEAT


class Silent:
    """Hears nothing."""

    def received(self, data: bytes) -> bytes:
        return data

    def lost(self, reason: str) -> None:
        return

    def pause(self, paused: bool) -> None:
        return


def connection(url: str = "amqp://us%40er:p%2Fw%25@[::1]:5999/%2Fprod", heartbeat: int = HEARTBEAT) -> AiormqConnection:
    return AiormqConnection(AmqpAddress.parse(url), "name", heartbeat, Silent())


async def test_credentials_and_virtual_host_arrive_as_written() -> None:
    made = connection()
    assert (made.url.user, made.url.password, made.vhost) == ("us@er", "p/w%", "/prod")
    assert made.heartbeat_timeout == HEARTBEAT
    assert "p/w" not in str(made)


async def test_a_dead_peer_is_noticed_within_21_seconds() -> None:
    """aiormq looks every half heartbeat whether the grace time is over; both are set when the connection is made."""
    grace = getattr(connection(), "_Connection__heartbeat_grace_timeout")  # noqa: B009
    assert 2 * HEARTBEAT * 0.75 <= grace <= 21 - HEARTBEAT // 2
    assert grace == pytest.approx((HEARTBEAT + 1) * AiormqConnection.HEARTBEAT_GRACE_MULTIPLIER)


def test_the_transport_can_be_ours() -> None:
    assert "transport_factory" in inspect.signature(Connection.__init__).parameters
    assert list(inspect.signature(TransportFactory.create).parameters) == ["self", "url", "kwargs"]


async def test_frames_are_read_from_the_reader_that_the_transport_gave() -> None:
    reader = asyncio.StreamReader()
    receiver = FrameReceiver(reader)
    reader.feed_data(
        b"\x01\x00\x07\x00\x00\x00\x05\x00\x14\x00\x0b\x00\xce"[:6] + b"\x08\x00\x14\x00\x0b\x00\x00\x00\x00\xce"
    )
    size, number, received = await receiver.get_frame()
    assert (size, number, type(received)) == (16, 7, commands.Channel.OpenOk)


def test_nothing_of_its_log_is_printed() -> None:
    code = (
        "import logging, hub.broker.rabbit.aiormq_connection; logging.getLogger('aiormq.connection').error('unexpected"
        " close')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout + done.stderr == ""


async def test_channels_are_a_dictionary_by_number() -> None:
    assert connection().channels == {}
