"""A message broker of another kind than RabbitMQ, by kombu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kombu
from kombu.exceptions import KombuError, OperationalError
from kombu.transport import TRANSPORT_ALIASES
from pydantic import Field, field_validator

from hub.core.errors import TransientError
from hub.core.network.network_error import error_line
from hub.core.options.limits import LimitOptions
from hub.core.options.nearest import did_you_mean
from hub.core.plugin import Options

NOT_HERE = ("amqp", "amqps", "pyamqp", "librabbitmq", "memory")
"""RabbitMQ has the `amqp` endpoint, which promises more; what lies in memory is no broker."""

FOLDERS = ("data_folder_in", "data_folder_out", "processed_folder", "control_folder")
"""Options of the filesystem transport that are paths."""

SILENCE = 30.0
"""Seconds that Redis may say nothing, where the options name no `socket_timeout`: kombu would wait for ever."""

Option = str | int | bool | float


def schemes() -> tuple[str, ...]:
    return tuple(sorted(name for name in TRANSPORT_ALIASES if name not in NOT_HERE and "+" not in name))


class BridgeEndpointOptions(Options):
    """A broker that kombu speaks to. What it promises is its own: see the guide."""

    url: str = Field(description="`redis://:${PASSWORD}@host/0`, `sqs://`, `filesystem://`, ... as kombu writes it.")
    options: dict[str, Option] = Field(
        default_factory=dict,
        description=(
            "Transport options: `visibility_timeout`, `region`, `data_folder_in`; folders are relative to the site."
        ),
    )
    connect_timeout: float = Field(5.0, gt=0, le=120, description="Seconds that a connection may take.")
    limit: LimitOptions | None = Field(None, description="What the broker can bear.")

    @field_validator("url")
    @classmethod
    def check_scheme(cls, value: str) -> str:
        scheme = value.partition("://")[0]
        if "://" not in value or scheme.partition("+")[0] not in schemes():
            if scheme in NOT_HERE:
                raise ValueError(f"{scheme}:// is served by the endpoint `amqp`, not by a bridge")
            hint = did_you_mean(scheme, schemes())
            raise ValueError(
                f"there is no transport {scheme!r}; there are {', '.join(schemes())}" + (f" ({hint})" if hint else "")
            )
        return value


class BridgeEndpoint:
    """Makes connections; each thread that works has its own."""

    def __init__(self, name: str, options: BridgeEndpointOptions, site: Path) -> None:
        self.options = options
        self.name = name
        self._transport = {
            key: str(site / str(value)) if key in FOLDERS else value for key, value in options.options.items()
        }
        if options.url.startswith(("redis", "rediss", "sentinel")):
            silence = {"socket_timeout": SILENCE, "socket_connect_timeout": options.connect_timeout}
            self._transport = {**silence, **self._transport}
        for key in FOLDERS:
            if key in self._transport:
                Path(str(self._transport[key])).mkdir(parents=True, exist_ok=True)

    def connect(self) -> kombu.Connection:
        """A connection of the caller's own, established. Blocks. Raises TransientError(unreachable)."""
        connection = kombu.Connection(
            self.options.url, connect_timeout=self.options.connect_timeout, transport_options=dict(self._transport)
        )
        try:
            connection.ensure_connection(max_retries=1, timeout=self.options.connect_timeout)
        except ImportError as error:
            raise TransientError(
                f"endpoint {self.name}: kombu needs a package for it: {error}", "unreachable"
            ) from error
        except lost(connection) as error:
            connection.release()
            raise TransientError(f"endpoint {self.name}: {error_line(error)}", "unreachable") from error
        return connection


def lost(connection: kombu.Connection) -> tuple[type[BaseException], ...]:
    """The errors that mean the broker, or the way to it."""
    transport: Any = connection
    return (
        OperationalError,
        KombuError,
        OSError,
        *transport.recoverable_connection_errors,
        *transport.recoverable_channel_errors,
        *transport.connection_errors,
        *transport.channel_errors,
    )
