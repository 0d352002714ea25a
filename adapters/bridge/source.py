"""A queue of another broker as a source. kombu blocks: each source has a thread, which alone speaks to the broker."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import kombu
from pydantic import Field

from adapters.bridge.endpoint import BridgeEndpoint, lost
from adapters.bridge.envelope import keep_all
from hub.core.context import Context
from hub.core.errors import HubError, TransientError
from hub.core.network.network_error import error_line
from hub.core.plugin import Options
from hub.core.ports import Arrival, BytesBody, Take
from hub.core.routing.given_facts import GivenFacts, take_given

LOOK = 0.2
"""Seconds that the thread waits for the broker at most, before it looks what the intake has finished."""

STOP = 15.0
"""Seconds that a stop waits for the thread."""

AGAIN = 1.0
"""Seconds before a message that the intake could not take goes back to the broker."""


class BridgeSourceOptions(Options):
    """A queue to take from."""

    endpoint: str = Field(description="The name of a `bridge` endpoint.")
    queue: str = Field(min_length=1, description="The queue.")
    prefetch: int = Field(10, ge=1, le=1000, description="How many messages may be in work at once.")
    facts: GivenFacts = Field(
        default_factory=dict,
        description="What of a message becomes a fact: `region: header.x-region`, `kind: property.type`.",
    )


class BridgeSource:
    """Offers each message to the intake, and acknowledges it once it is taken. What is not acknowledged when the
    process dies comes again where the broker has acknowledgments."""

    def __init__(self, name: str, options: BridgeSourceOptions, endpoint: BridgeEndpoint, context: Context) -> None:
        self._name = name
        self._options = options
        self._endpoint = endpoint
        self._log, self._clock = context.log, context.clock

    async def run(self, take: Take) -> None:
        loop = asyncio.get_running_loop()
        stopping = threading.Event()
        offered = asyncio.Semaphore(self._options.prefetch)

        async def offer(arrival: Arrival) -> bool:
            async with offered:
                try:
                    await take(arrival)
                except Exception as error:  # noqa: BLE001
                    # Whatever broke: the message goes back, after a pause, and not in silence.
                    text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
                    self._log.warning("message_not_taken", source=self._name, name=arrival.name, error=text)
                    await self._clock.sleep(AGAIN)
                    return False
                return True

        pump = Pump(self._name, self._options, self._endpoint, loop, offer, stopping)
        thread = ThreadPoolExecutor(1, f"bridge-{self._name}")  # for long: never one of the threads that all share
        running = loop.run_in_executor(thread, pump.run)
        try:
            await asyncio.shield(running)
        finally:
            stopping.set()
            thread.shutdown(wait=False)
            with suppress(TimeoutError):
                async with self._clock.timeout(STOP):
                    await asyncio.wait({running})


class Pump:
    """The thread's side: drains the broker, hands over, acknowledges."""

    def __init__(
        self,
        name: str,
        options: BridgeSourceOptions,
        endpoint: BridgeEndpoint,
        loop: asyncio.AbstractEventLoop,
        offer: Any,
        stopping: threading.Event,
    ) -> None:
        self._name = name
        self._options = options
        self._endpoint = endpoint
        self._loop = loop
        self._offer = offer
        self._stopping = stopping
        self._in_work: list[tuple[Any, Future[bool]]] = []

    def run(self) -> None:
        """Until it is told to stop. Raises TransientError when the broker is lost: what was in work comes again from
        there."""
        connection = self._endpoint.connect()
        try:
            with connection, connection.channel() as channel:
                keep_all(channel)
                queue = kombu.Queue(self._options.queue, durable=True)
                with kombu.Consumer(
                    channel, queues=[queue], on_message=self._arrived, prefetch_count=self._options.prefetch
                ):
                    while not self._stopping.is_set():
                        self._drain(connection)
                        self._settle()
                self._finish()
        except TransientError:
            raise
        except lost(connection) as error:
            raise TransientError(f"endpoint {self._endpoint.name}: {error_line(error)}", "unreachable") from error

    def _drain(self, connection: kombu.Connection) -> None:
        try:
            connection.drain_events(timeout=LOOK)
        except TimeoutError:
            return

    def _arrived(self, message: Any) -> None:
        future = asyncio.run_coroutine_threadsafe(self._offer(self._arrival(message)), self._loop)
        self._in_work.append((message, future))

    def _arrival(self, message: Any) -> Arrival:
        raw = raw_body(message.body, message.content_encoding)
        headers = {k: v for k, v in (message.headers or {}).items() if not str(k).lower().startswith("hub-")}
        properties = message.properties or {}
        values = {f"header.{str(name).lower()}": value for name, value in headers.items()}
        values.update({f"property.{name}": value for name, value in properties.items()})
        carried = {**headers, "content_type": str(message.content_type or "")[:200]}
        if isinstance(properties.get("correlation_id"), str):
            carried["correlation_id"] = properties["correlation_id"][:200]
        name = str(properties.get("message_id") or properties.get("correlation_id") or "")
        name = "".join(character if character.isprintable() else "_" for character in name[:200])
        return Arrival(self._name, BytesBody(raw), name, carried, take_given(self._options.facts, values))

    def _settle(self) -> None:
        waiting = []
        for message, future in self._in_work:
            if not future.done():
                waiting.append((message, future))
            elif not future.cancelled() and future.exception() is None and future.result():
                message.ack()
            else:
                message.requeue()
        self._in_work = waiting

    def _finish(self) -> None:
        """What was taken is still acknowledged; the rest goes back."""
        for _ in range(50):
            self._settle()
            if not self._in_work:
                return
            threading.Event().wait(LOOK / 2)
        for message, future in self._in_work:
            future.cancel()
            message.requeue()


def raw_body(body: Any, encoding: Any) -> bytes:
    """The bytes of a body, of which kombu may have made a text; an encoding that isn't known, or can't say it, is
    UTF-8."""
    if not isinstance(body, str):
        return bytes(body or b"")
    try:
        return body.encode(str(encoding or "utf-8"))
    except (LookupError, ValueError):
        return body.encode("utf-8", "surrogatepass")
