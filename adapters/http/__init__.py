"""HTTP in: ports that listen, and the sources that are posted to."""

from __future__ import annotations

from typing import cast

from adapters.http.endpoint_options import HttpEndpointOptions, wrong_with_proxies
from adapters.http.source_options import HttpSourceOptions, places_of, wrong_on
from hub.core.context import Context
from hub.core.network.web import WebListener
from hub.core.plugin import EndpointPlugin, SourcePlugin
from hub.core.ports import Source


def build_endpoint(name: str, options: HttpEndpointOptions, context: Context) -> WebListener:
    from adapters.http.endpoint import HttpEndpoint  # a command that only checks loads no server

    return HttpEndpoint(name, options, context)


def build_source(name: str, options: HttpSourceOptions, context: Context) -> Source:
    from adapters.http.source import HttpSource

    return HttpSource(name, options, cast(WebListener, context.endpoint(options.endpoint)), context)


PLUGINS = (
    EndpointPlugin(
        name="http",
        options=HttpEndpointOptions,
        summary="A port of the hub's that listens for HTTP; several sources share it.",
        example="listen: 127.0.0.1:8080\npublic: https://edi.example.com\ntrusted_proxies: [127.0.0.1]\n",
        build=build_endpoint,
        inspect=wrong_with_proxies,
        descriptors=lambda options: int(2 * options.connections),  # a connection, and the file of a large body
    ),
    SourcePlugin(
        name="http",
        options=HttpSourceOptions,
        summary="Takes what is posted to the hub, from senders that prove who they are.",
        example=(
            'endpoint: web\npath: /orders/{region}\nauth: {api_key: {ACME: "${ACME_API_KEY}"}}\n'
            "facts: {region: path.region}\n"
        ),
        build=build_source,
        endpoint=("endpoint", "http"),
        files={"key_files": "config"},
        partners=("partners",),
        on_endpoint=wrong_on,
        places=places_of,
        waits=lambda options: bool(options.reply == "sync"),
    ),
)
