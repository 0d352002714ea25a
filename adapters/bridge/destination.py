"""A queue or exchange of another broker as a destination."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import kombu
from pydantic import Field

from adapters.bridge.address import BridgeAddress
from adapters.bridge.endpoint import BridgeEndpoint, lost
from hub.core.clock import Clock
from hub.core.errors import MappingError, RejectedError, TransientError
from hub.core.network.network_error import error_line
from hub.core.options.secret_names import without_credentials
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.documents.naming import header_of, name_of

CLOSE = 5.0
"""Seconds that a stop waits for a publish that is under way."""


class BridgeDestinationOptions(Options):
    """A queue to publish to."""

    endpoint: str = Field(description="The name of a `bridge` endpoint.")
    queue: str = Field(min_length=1, description="The queue; `{fact}` is substituted.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send; `{fact}` is substituted.")


class BridgeDestination:
    """Publishes with the idempotency key as message id. Delivered means that the broker's client has returned without
    an error: how durable that is, is the broker's promise."""

    def __init__(self, options: BridgeDestinationOptions, endpoint: BridgeEndpoint, clock: Clock) -> None:
        self._clock = clock
        self._options = options
        self._endpoint = endpoint
        self._headers, self._credentials = without_credentials(options.headers)
        self._thread = ThreadPoolExecutor(1, f"bridge-{endpoint.name}")
        self._connection: kombu.Connection | None = None

    def address(self, outgoing: Outgoing) -> BridgeAddress:
        return BridgeAddress(
            endpoint=self._endpoint.name,
            queue=outgoing.fixed_address or self.fix_address(outgoing),
            headers={**headers_of(self._headers, outgoing), **outgoing.headers},
            message_id=outgoing.key,
            correlation_id=outgoing.correlation_id,
            type=outgoing.document,
            content_type=outgoing.content_type,
            credentials=tuple(self._credentials),
        )

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The queue. See `hub.core.ports.Addressing`."""
        try:
            return name_of(outgoing.facts, self._options.queue, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_queue") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        address, credentials = self.address(outgoing), headers_of(self._credentials, outgoing)
        publish = partial(self._publish, address, credentials, outgoing.body)
        await asyncio.get_running_loop().run_in_executor(self._thread, publish)
        return Receipt(f"published to {address.queue}")

    def _publish(self, address: BridgeAddress, credentials: dict[str, str], body: bytes) -> None:
        connection = self._connection or self._endpoint.connect()
        self._connection = connection
        try:
            with connection.channel() as channel:
                producer = kombu.Producer(channel)
                producer.publish(
                    body,
                    exchange="",
                    routing_key=address.queue,
                    declare=[kombu.Queue(address.queue, durable=True)],
                    content_type=address.content_type,
                    content_encoding="binary",
                    headers={**address.headers, **credentials},
                    message_id=address.message_id,
                    correlation_id=address.correlation_id,
                    type=address.type,
                    delivery_mode=2,
                    retry=False,
                )
        except lost(connection) as error:
            self._forget()
            raise TransientError(f"endpoint {self._endpoint.name}: {error_line(error)}", "unreachable") from error

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    async def close(self) -> None:
        forgetting = asyncio.get_running_loop().run_in_executor(self._thread, self._forget)
        with suppress(TimeoutError):
            async with self._clock.timeout(CLOSE):
                await asyncio.wait({forgetting})
        self._thread.shutdown(wait=False)


def headers_of(templates: Mapping[str, str], outgoing: Outgoing) -> dict[str, str]:
    try:
        return {name: header_of(text, outgoing.facts) for name, text in templates.items()}
    except MappingError as error:
        raise RejectedError(str(error), code="no_queue") from error
