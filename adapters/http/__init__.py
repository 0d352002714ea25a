"""HTTP in: ports that listen, and the sources that are posted to."""

from __future__ import annotations

from adapters.http.endpoint import HttpEndpoint, HttpEndpointOptions, build_endpoint
from adapters.http.source import HttpSource, build_source
from adapters.http.source_options import HttpSourceOptions, places_of, wrong_on
from hub.core.plugin import Plugin

__all__ = ["PLUGINS", "HttpEndpoint", "HttpEndpointOptions", "HttpSource", "HttpSourceOptions"]

PLUGINS = (
    Plugin(
        name="http",
        kind="endpoint",
        options=HttpEndpointOptions,
        summary="A port of the hub's that listens for HTTP; several sources share it.",
        example="listen: 127.0.0.1:8080\npublic: https://edi.example.com\n",
        build=build_endpoint,
    ),
    Plugin(
        name="http",
        kind="source",
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
