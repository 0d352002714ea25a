"""Every test with a `broker` runs against each implementation of the port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.core.broker import BrokerLifecycle
from tests.support.brokers import KINDS, make_broker

Reopen = Callable[[], Awaitable[BrokerLifecycle]]


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.rabbitmq if kind != "embedded" else ()) for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def broker_url(kind: str, request: pytest.FixtureRequest) -> str:
    return "" if kind == "embedded" else str(request.getfixturevalue("amqp_url"))


@pytest.fixture
async def brokers(kind: str, broker_url: str, tmp_path: Path) -> AsyncIterator[list[BrokerLifecycle]]:
    """The brokers of this test: the last one is the open one."""
    made = [make_broker(kind, broker_url, tmp_path)]
    await made[0].open()
    yield made
    await made[-1].close()


@pytest.fixture
def broker(brokers: list[BrokerLifecycle]) -> BrokerLifecycle:
    return brokers[-1]


@pytest.fixture
def reopen(brokers: list[BrokerLifecycle], kind: str, broker_url: str, tmp_path: Path) -> Reopen:
    """Closes the broker and opens another one on the same queues."""

    async def again() -> BrokerLifecycle:
        await brokers[-1].close()
        brokers.append(make_broker(kind, broker_url, tmp_path))
        await brokers[-1].open()
        return brokers[-1]

    return again
