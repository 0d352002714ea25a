"""Parts of the runtime on a journal and a broker of their own, without a hub; where time matters, by a virtual
clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from hub.core.clock import Clock
from hub.runtime.runtime import Runtime
from tests.support.one_delivery import a_runtime
from tests.support.virtual_time import VirtualLoop, virtual_time


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests that ask for `clock` run by virtual time."""
    virtual = "clock" in getattr(item, "fixturenames", ())
    return {"virtual": VirtualLoop} if virtual else {"real": asyncio.new_event_loop}


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    """The virtual clock of the test's event loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    with virtual_time(loop) as clock:
        yield clock


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    async with a_runtime(tmp_path) as made:
        yield made
