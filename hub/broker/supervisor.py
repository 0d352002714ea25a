"""Keeps one connection alive: epoch after epoch, with a growing pause between attempts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from hub.broker.address import AmqpAddress
from hub.broker.channel import ChannelRefused, LinkLost
from hub.broker.link import Link
from hub.core.errors import ConfigError, TransientError
from hub.core.network.network_error import reason_of

FIRST_PAUSE, SHORT_PAUSE, LONGEST_PAUSE = 0.05, 0.4, 3.0
"""Seconds before the next attempt: at most SHORT_PAUSE after a link that was up, LONGEST_PAUSE when there was none."""
STABLE = 1.0
"""An epoch that lasted so many seconds begins the pauses anew."""


class Supervisor:
    """One task, one link at a time. `begin` makes a new link useful (channels, consumers) before it counts as up.

    `refused` is the broker's definite no (user, virtual host), if that was its last word; it is tried again all the same.
    """

    def __init__(
        self, address: AmqpAddress, name: str, heartbeat: int, begin: Callable[[Link], Awaitable[None]]
    ) -> None:
        self.link: Link | None = None
        self.epochs = 0
        self.refused: ConfigError | None = None
        self.problem = "not connected yet"
        self._address = address
        self._nodes = address.nodes
        self._node = 0
        self._name = name
        self._heartbeat = heartbeat
        self._begin = begin
        self._up = asyncio.Event()
        self._attempted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("hub.broker")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def ready(self, timeout: float) -> Link:
        """The running link, as soon as there is one. Raises TransientError(unreachable)."""
        try:
            async with asyncio.timeout(timeout):
                await self._up.wait()
        except TimeoutError:
            pass
        if self.link is None:
            raise TransientError(f"no connection to {self._address}: {self.problem}", "unreachable")
        return self.link

    async def first(self, timeout: float) -> Link:
        """Like `ready`, but raises ConfigError as soon as the broker refuses us."""
        try:
            async with asyncio.timeout(timeout):
                while self.link is None:
                    await self._attempted.wait()
                    self._attempted.clear()
                    if self.refused:
                        raise self.refused
        except TimeoutError:
            pass
        return await self.ready(0.001)

    async def stop(self) -> None:
        """Ends the link with a good-bye, and the task."""
        link = self.link
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if link is not None:
            await link.close()
        self.link = None
        self._up.clear()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            begun, epochs = loop.time(), self.epochs
            await self._epoch()
            was_up = self.epochs > epochs
            longest = SHORT_PAUSE if was_up or self._node % len(self._nodes) else LONGEST_PAUSE
            pause = FIRST_PAUSE if was_up and loop.time() - begun > STABLE else min(pause * 2, longest)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _epoch(self) -> None:
        """From connecting to the end of the link."""
        link: Link | None = None
        try:
            link = await Link.connect(self._nodes[self._node % len(self._nodes)], self._name, self._heartbeat)
            await self._begin(link)
            self._begun(link)
            await asyncio.shield(link.ended)
            self.problem = link.reason
        except ConfigError as error:
            self.refused, self.problem = error, error.text
        except TimeoutError:
            self.problem = "it does not answer"
        except (OSError, LinkLost, ChannelRefused) as error:
            self.problem = reason_of(error)
        finally:
            self._node += 1  # another node is tried after each end
            if self.link is None and link is not None:
                link.end("the beginning failed")
        self._ended()

    def _begun(self, link: Link) -> None:
        self.link = link
        self.refused = None
        self.epochs += 1
        self._up.set()
        self._attempted.set()
        self._log.info("connected", broker=str(self._address), connection=self._name, version=link.version)

    def _ended(self) -> None:
        if self.link is not None:
            self._log.warning("connection lost", broker=str(self._address), connection=self._name, cause=self.problem)
        else:
            self._log.warning("can't connect", broker=str(self._address), connection=self._name, cause=self.problem)
        self.link = None
        self._up.clear()
        self._attempted.set()
