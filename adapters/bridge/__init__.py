"""Bridges to message brokers of other kinds, by kombu: Redis, Amazon SQS, folders, and what else kombu speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.bridge.destination import BridgeDestination, BridgeDestinationOptions
from adapters.bridge.endpoint import BridgeEndpoint, BridgeEndpointOptions
from adapters.bridge.source import BridgeSource, BridgeSourceOptions
from hub.core.context import Context
from hub.core.network.clear_text import credentials_in_the_clear, holds_password, lets_in
from hub.core.plugin import DestinationPlugin, EndpointPlugin, Problem, SourcePlugin

__all__ = [
    "PLUGINS",
    "BridgeDestination",
    "BridgeDestinationOptions",
    "BridgeEndpoint",
    "BridgeEndpointOptions",
    "BridgeSource",
    "BridgeSourceOptions",
]


def build_endpoint(name: str, options: BridgeEndpointOptions, context: Context) -> BridgeEndpoint:
    return BridgeEndpoint(name, options, context.site)


def build_source(name: str, options: BridgeSourceOptions, context: Context) -> BridgeSource:
    return BridgeSource(name, options, context.endpoint_of(BridgeEndpoint, options.endpoint), context)


def build_destination(name: str, options: BridgeDestinationOptions, context: Context) -> BridgeDestination:
    return BridgeDestination(options, context.endpoint_of(BridgeEndpoint, options.endpoint), context.clock)


def wrong_with_endpoint(options: BridgeEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    if holds_password(options.url) or lets_in(options.options):
        yield from credentials_in_the_clear("url", options.url, "the password travels")


PLUGINS = (
    EndpointPlugin(
        name="bridge",
        options=BridgeEndpointOptions,
        summary="A message broker of another kind: Redis, Amazon SQS, folders, and what else kombu speaks.",
        example='url: "redis://:${REDIS_PASSWORD}@redis.shop.example/0"\noptions: {visibility_timeout: 600}\n',
        build=build_endpoint,
        inspect=wrong_with_endpoint,
    ),
    SourcePlugin(
        name="bridge",
        options=BridgeSourceOptions,
        summary="Takes from a queue of another broker.",
        example="endpoint: shop-redis\nqueue: orders\n",
        build=build_source,
        endpoint=("endpoint", "bridge"),
    ),
    DestinationPlugin(
        name="bridge",
        options=BridgeDestinationOptions,
        summary="Publishes each document to a queue of another broker.",
        example="endpoint: shop-redis\nqueue: order-replies\n",
        build=build_destination,
        endpoint=("endpoint", "bridge"),
        fact_templates=("queue", "headers"),
    ),
)
