"""HTTP out: documents to REST endpoints, replies mapped to outcomes; lists that are asked for as a source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.rest.destination import RestDestination, RestDestinationOptions
from adapters.rest.endpoint import RestEndpoint, RestEndpointOptions
from adapters.rest.list_options import RestSourceOptions
from adapters.rest.source import build_source
from adapters.rest.tls import context_of
from hub.core.context import Context
from hub.core.network.clear_text import credentials_in_the_clear, lets_in
from hub.core.plugin import DestinationPlugin, EndpointPlugin, Problem, SourcePlugin

ENDPOINT_EXAMPLE = """\
base: "${ERP_URL}"
auth: {bearer: "${ERP_TOKEN}"}
limit: {per_second: 20, concurrent: 4, break_after: 10, break_for: 1m}
"""

DESTINATION_EXAMPLE = """\
endpoint: erp
call: POST /orders
query: {origin: "{partner}"}
"""

SOURCE_EXAMPLE = """\
endpoint: erp
call: GET /orders?since={cursor}&limit=100
every: 1m
items: /orders
id: /number
cursor: {item: /updated_at, start: "2026-01-01T00:00:00Z"}
next: {link: true}
"""


def build_endpoint(name: str, options: RestEndpointOptions, context: Context) -> RestEndpoint:
    tls = context_of(options.tls, context.site, name) if options.tls is not None else None
    return RestEndpoint(options, context.clock, tls)


def build_destination(name: str, options: RestDestinationOptions, context: Context) -> RestDestination:
    return RestDestination(name, options, context)


def wrong_with_endpoint(options: RestEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    if options.auth is None:
        return
    yield from credentials_in_the_clear("base", options.base, "credentials travel")
    if options.auth.oauth2 is not None:
        yield from credentials_in_the_clear("auth", options.auth.oauth2.token_url, "the client secret travels")


def wrong_with_headers(
    options: RestSourceOptions | RestDestinationOptions, endpoint: RestEndpointOptions | None, site: Path
) -> Iterator[Problem]:
    if endpoint is not None and lets_in(options.headers):
        yield from credentials_in_the_clear("headers", endpoint.base, "credentials travel")


PLUGINS = (
    EndpointPlugin(
        name="rest",
        options=RestEndpointOptions,
        concurrent=lambda options: options.connections,
        summary="A system that speaks HTTP.",
        example=ENDPOINT_EXAMPLE,
        build=build_endpoint,
        inspect=wrong_with_endpoint,
    ),
    DestinationPlugin(
        name="rest",
        options=RestDestinationOptions,
        summary="Calls a REST endpoint with each document and reads its reply.",
        example=DESTINATION_EXAMPLE,
        build=build_destination,
        endpoint=("endpoint", "rest"),
        fact_templates=("call", "query", "headers"),
        inspect=wrong_with_headers,
    ),
    SourcePlugin(
        name="rest",
        options=RestSourceOptions,
        summary="Asks a REST endpoint for a list, item by item, and reads on from where it was left.",
        example=SOURCE_EXAMPLE,
        build=build_source,
        endpoint=("endpoint", "rest"),
        partners=("partner",),
        inspect=wrong_with_headers,
    ),
)
