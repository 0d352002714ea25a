"""A failed connection is told in the same plain words by broker, journal and REST."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.clock.system_clock import SystemClock
from hub.core.errors import TransientError
from hub.core.network.network_error import reason_of
from hub.journal.database.faults import first_line
from tests.support.ports import free_ports


async def test_the_words_of_libraries_are_left_out() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OSError, match="Connect call failed") as refused:
        await asyncio.open_connection("127.0.0.1", port)
    assert reason_of(refused.value) == first_line(refused.value) == "connection refused"
    broker = RabbitBroker(f"amqp://guest@127.0.0.1:{port}/", SystemClock(), timeout=0.3)
    with pytest.raises(TransientError, match=rf"^no connection to amqp://127.0.0.1:{port}: connection refused$"):
        await broker.open()


@pytest.mark.parametrize(
    "error", [ssl.SSLError(1, "certificate verify failed"), ValueError("as it says"), OSError("two failed")]
)
def test_what_is_not_known_says_it_itself(error: Exception) -> None:
    assert reason_of(error) == str(error)
