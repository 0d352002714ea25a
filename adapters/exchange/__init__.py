"""Exchanges, queues and streams of RabbitMQ: the hub's own broker's, and those of other clusters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.exchange.destination import ExchangeDestination, ExchangeDestinationOptions
from adapters.exchange.endpoint import AmqpEndpoint, AmqpEndpointOptions
from adapters.exchange.source import ExchangeSource, ExchangeSourceOptions
from adapters.exchange.stream import StreamSource, StreamSourceOptions
from adapters.exchange.texts import arrival_headers, safe_text
from hub.core.context import Context
from hub.core.network.clear_text import credentials_in_the_clear, holds_password
from hub.core.plugin import DestinationPlugin, EndpointPlugin, Problem, SourcePlugin

__all__ = [
    "PLUGINS",
    "AmqpEndpoint",
    "AmqpEndpointOptions",
    "ExchangeDestination",
    "ExchangeDestinationOptions",
    "ExchangeSource",
    "ExchangeSourceOptions",
    "StreamSource",
    "StreamSourceOptions",
    "arrival_headers",
    "safe_text",
]


def build_endpoint(name: str, options: AmqpEndpointOptions, context: Context) -> AmqpEndpoint:
    return AmqpEndpoint(name, options, options.full_url(context.site), context.connect)


def endpoint_of(
    options: ExchangeSourceOptions | StreamSourceOptions | ExchangeDestinationOptions, context: Context
) -> AmqpEndpoint | None:
    return context.endpoint_of(AmqpEndpoint, options.endpoint) if options.endpoint is not None else None


def build_source(name: str, options: ExchangeSourceOptions, context: Context) -> ExchangeSource:
    return ExchangeSource(name, options, context, endpoint_of(options, context))


def build_stream(name: str, options: StreamSourceOptions, context: Context) -> StreamSource:
    return StreamSource(name, options, context, endpoint_of(options, context))


def build_destination(name: str, options: ExchangeDestinationOptions, context: Context) -> ExchangeDestination:
    return ExchangeDestination(name, options, context, endpoint_of(options, context))


def wrong_with_endpoint(options: AmqpEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    if holds_password(options.url):
        yield from credentials_in_the_clear("url", options.url, "the password travels")


AT_ONCE = 500
"""Publishes under way at once. A broker confirms many together."""

PLUGINS = (
    EndpointPlugin(
        name="amqp",
        options=AmqpEndpointOptions,
        concurrent=lambda options: AT_ONCE,
        summary="Another RabbitMQ cluster than the hub's own.",
        example="url: amqps://rabbit.wms.example/orders\nca: config/wms-ca.pem\ncertificate: config/hub.pem\n",
        build=build_endpoint,
        inspect=wrong_with_endpoint,
    ),
    SourcePlugin(
        name="exchange",
        options=ExchangeSourceOptions,
        summary="Takes what other systems publish to an exchange, or what waits in a queue of theirs.",
        example="name: shop.events\nkey: order.placed\n",
        build=build_source,
        endpoint=("endpoint", "amqp"),
    ),
    SourcePlugin(
        name="stream",
        options=StreamSourceOptions,
        summary="Reads a RabbitMQ stream, and remembers how far.",
        example="queue: shop.history\nfrom: first\n",
        build=build_stream,
        endpoint=("endpoint", "amqp"),
    ),
    DestinationPlugin(
        name="exchange",
        options=ExchangeDestinationOptions,
        concurrent=lambda options: AT_ONCE,
        summary="Publishes each document to an exchange, confirmed and mandatory; or asks, and waits for the answer.",
        example='name: orders.approval\nkey: "{partner}"\n',
        build=build_destination,
        endpoint=("endpoint", "amqp"),
        fact_templates=("key", "headers"),
    ),
)
