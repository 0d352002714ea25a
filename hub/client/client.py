"""A small synchronous publisher: confirmed, mandatory, with several brokers to fall back to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import kombu
import orjson
from kombu.exceptions import OperationalError

from hub.clock.system_clock import SystemClock
from hub.core.errors import HubError
from hub.core.message import JSON
from hub.documents import document_name, from_json, to_json
from hub.documents.base import Document

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0

SILENCE = 10.0
"""Seconds that the broker may say nothing while an answer of it is waited for."""

Prepared = tuple[bytes, dict[str, Any], dict[str, Any]]
"""Body, headers and properties of a message."""


class NotPublished(HubError):
    """No broker has confirmed it in time. It may have arrived all the same: publish the same bytes again, the hub
    recognises them."""


class NotRouted(NotPublished):
    """The broker has no queue for it: the exchange is missing, or nothing is bound for its key."""


class HubClient:
    """Publishes to RabbitMQ. One connection, opened when it is first needed, replaced when it breaks; safe to share
    among the threads of a process, which publish one after the other. After a fork make another one.

    `url` is one AMQP URL, or several with `;` between them: the next is tried when one is away. `timeout`: seconds that
    a publish may take, with all attempts. `mandatory`: a message that reaches no queue raises NotRouted.
    """

    def __init__(self, url: str, *, timeout: float = 30.0, mandatory: bool = True, heartbeat: int = 30) -> None:
        self._url = url
        self._timeout = timeout
        self._mandatory = mandatory
        self._heartbeat = heartbeat
        self._lock = threading.Lock()
        self._clock = SystemClock()
        self._connection: Any = None
        self._channel: Any = None
        self._returned: list[str] = []

    def __enter__(self) -> HubClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def publish(
        self,
        document: Document | Mapping[str, Any] | bytes,
        *,
        exchange: str,
        key: str,
        as_: str | None = None,
        message_id: str | None = None,
        correlation_id: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        """Publishes one document and returns its message id when the broker has confirmed it.

        `document` is a model of `hub.documents`, or canonical JSON as bytes or a mapping, which is checked first, as
        `as_` (`order@1`) where it doesn't say itself what it is. Without `message_id` it is derived from the bytes, so
        that the same document published again is recognised. Raises NotPublished, NotRouted, and DecodeError for what
        is no document.
        """
        name, body = canonical(document, as_)
        id = message_id or hashlib.sha256(body).hexdigest()
        properties = {"delivery_mode": 2, "message_id": id, "type": name, "correlation_id": correlation_id}
        message = (body, dict(headers or {}), {key: value for key, value in properties.items() if value is not None})
        with self._lock:
            self._insist(message, exchange, key)
        return id

    def close(self) -> None:
        """Twice is harmless; publishing again opens it again."""
        with self._lock:
            self._forget()

    def _insist(self, message: Prepared, exchange: str, key: str) -> None:
        left, pause = self._timeout, FIRST_PAUSE
        last: BaseException | None = None
        while left > 0:
            begun = self._clock.monotonic()
            try:
                self._once(message, exchange, key, min(left, 10.0))
            except NotRouted:
                raise
            except self._lost() as error:
                last = error
                self._forget(broken=True)
                self._clock.pause(min(pause, max(0.0, left)))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return
            left -= self._clock.monotonic() - begun
        raise NotPublished(f"no broker has confirmed it within {self._timeout:g}s: {last}") from last

    def _once(self, message: Prepared, exchange: str, key: str, timeout: float) -> None:
        channel = self._ready(timeout)
        self._returned.clear()
        body, headers, properties = message
        made = channel.prepare_message(body, None, JSON, "utf-8", headers, properties)
        try:
            channel.basic_publish_confirm(made, exchange, key, mandatory=self._mandatory, timeout=timeout)
        except self._channel_errors() as error:
            self._forget(broken=True)
            if getattr(error, "code", None) == 404:
                raise NotRouted(f"exchange {exchange!r}: {error}") from error
            raise
        if self._returned:
            raise NotRouted(f"exchange {exchange!r} has no queue for key {key!r}: {self._returned[0]}")

    def _ready(self, timeout: float) -> Any:
        if self._connection is None:
            self._connection = kombu.Connection(
                self._url,
                connect_timeout=min(timeout, 5.0),
                heartbeat=self._heartbeat,
                transport_options={
                    "confirm_publish": True,
                    "read_timeout": SILENCE,
                    "write_timeout": SILENCE,
                    "client_properties": {"product": "mediation hub client"},
                },
            )
        if self._channel is None:
            self._connection.ensure_connection(max_retries=self._hosts(), interval_start=0, timeout=timeout)
            self._channel = self._connection.channel()
            self._channel.events["basic_return"].add(self._on_return)
        return self._channel

    def _hosts(self) -> int:
        return self._url.count(";") + 1

    def _on_return(self, error: Any, *more: Any) -> None:
        self._returned.append(" ".join(str(error).split())[:200])

    def _lost(self) -> tuple[type[BaseException], ...]:
        connection = self._connection
        more = connection.recoverable_connection_errors if connection is not None else ()
        return (OperationalError, OSError, *more, *self._channel_errors())

    def _channel_errors(self) -> tuple[type[BaseException], ...]:
        return tuple(self._connection.channel_errors) if self._connection is not None else ()

    def _forget(self, broken: bool = False) -> None:
        """A broken connection is dropped without a good-bye, which nobody might answer."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is None:
            return
        if broken:
            connection.collect(socket_timeout=0.2)
        else:
            connection.release()


def canonical(document: Document | Mapping[str, Any] | bytes, as_: str | None) -> tuple[str, bytes]:
    """Name and canonical JSON. Raises DecodeError."""
    if isinstance(document, Document):
        return document_name(document), to_json(document)
    checked = from_json(document if isinstance(document, bytes) else orjson.dumps(document), as_)
    return document_name(checked), to_json(checked)
