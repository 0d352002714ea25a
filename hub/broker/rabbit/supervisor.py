"""Keeps one connection alive: epoch after epoch, with a growing pause between attempts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from hub.broker.rabbit.address import AmqpAddress
from hub.broker.rabbit.amqp_channel import ChannelRefused, ConnectionLost
from hub.broker.rabbit.connection import AmqpConnection
from hub.core.clock import Clock
from hub.core.errors import ConfigError, TransientError
from hub.core.network.network_error import reason_of

FIRST_PAUSE, SHORT_PAUSE, LONGEST_PAUSE = 0.05, 0.4, 3.0
"""Seconds before the next attempt: at most SHORT_PAUSE after a connection that was up, LONGEST_PAUSE when there was
none."""
STABLE = 1.0
"""An epoch that lasted so many seconds begins the pauses anew."""


class ConnectionSupervisor:
    """One task, one connection at a time. `begin` makes a new connection useful (channels, consumers) before it counts
    as up.

    `refused` is the broker's definite no (user, virtual host), if that was its last word; it is tried again all the
    same.
    """

    def __init__(
        self,
        address: AmqpAddress,
        name: str,
        heartbeat: int,
        clock: Clock,
        begin: Callable[[AmqpConnection], Awaitable[None]],
    ) -> None:
        self.connection: AmqpConnection | None = None
        self.epochs = 0
        self.refused: ConfigError | None = None
        self.problem = "not connected yet"
        self._address = address
        self._clock = clock
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

    async def ready(self, timeout: float) -> AmqpConnection:
        """The running connection, as soon as there is one. Raises TransientError(unreachable)."""
        try:
            async with self._clock.timeout(timeout):
                await self._up.wait()
        except TimeoutError:
            pass
        if self.connection is None:
            raise TransientError(f"no connection to {self._address}: {self.problem}", "unreachable")
        return self.connection

    async def first(self, timeout: float) -> AmqpConnection:
        """Like `ready`, but raises ConfigError as soon as the broker refuses us."""
        try:
            async with self._clock.timeout(timeout):
                while self.connection is None:
                    await self._attempted.wait()
                    self._attempted.clear()
                    if self.refused:
                        raise self.refused
        except TimeoutError:
            pass
        return await self.ready(0.001)

    async def stop(self) -> None:
        """Ends the connection with a good-bye, and the task."""
        connection = self.connection
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if connection is not None:
            await connection.close()
        self.connection = None
        self._up.clear()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            begun, epochs = self._clock.monotonic(), self.epochs
            await self._epoch()
            was_up = self.epochs > epochs
            longest = SHORT_PAUSE if was_up or self._node % len(self._nodes) else LONGEST_PAUSE
            pause = FIRST_PAUSE if was_up and self._clock.monotonic() - begun > STABLE else min(pause * 2, longest)
            await self._clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _epoch(self) -> None:
        """From connecting to the end of the connection."""
        connection: AmqpConnection | None = None
        try:
            connection = await AmqpConnection.connect(
                self._nodes[self._node % len(self._nodes)], self._name, self._heartbeat, self._clock
            )
            await self._begin(connection)
            self._begun(connection)
            await asyncio.shield(connection.ended)
            self.problem = connection.reason
        except ConfigError as error:
            self.refused, self.problem = error, error.text
        except TimeoutError:
            self.problem = "it does not answer"
        except (OSError, ConnectionLost, ChannelRefused) as error:
            self.problem = reason_of(error)
        finally:
            self._node += 1  # another node is tried after each end
            if self.connection is None and connection is not None:
                connection.end("the beginning failed")
        self._ended()

    def _begun(self, connection: AmqpConnection) -> None:
        self.connection = connection
        self.refused = None
        self.epochs += 1
        self._up.set()
        self._attempted.set()
        self._log.info("connected", broker=str(self._address), connection=self._name, version=connection.version)

    def _ended(self) -> None:
        if self.connection is not None:
            self._log.warning("connection_lost", broker=str(self._address), connection=self._name, cause=self.problem)
        else:
            self._log.warning("connect_failed", broker=str(self._address), connection=self._name, cause=self.problem)
        self.connection = None
        self._up.clear()
        self._attempted.set()
