"""What is declared of SOAP in."""

from __future__ import annotations

from typing import cast

from adapters.soap.inspection import wrong_with_source
from adapters.soap.serving.options import SoapSourceOptions, places_of, wrong_on
from hub.core.context import Context
from hub.core.network.web import WebListener
from hub.core.plugin import SourcePlugin
from hub.core.ports import Source


def build_source(name: str, options: SoapSourceOptions, context: Context) -> Source:
    from adapters.soap.serving.source import SoapSource  # a command that only checks parses no XML

    return SoapSource(name, options, cast(WebListener, context.endpoint(options.endpoint)), context)


INWARD = (
    SourcePlugin(
        name="soap",
        options=SoapSourceOptions,
        summary="Serves operations of a WSDL, in SOAP 1.1 and 1.2; each call is an arrival.",
        example=(
            "endpoint: web\npath: /soap/orders\nwsdl: orders.wsdl\noperations: [CreateOrder]\n"
            'security: {users: {ACME: {user: acme-erp, password: "${ACME_SOAP_PASSWORD}"}}}\n'
            "reply: accepted\nacceptance: order-accepted.xml\n"
        ),
        build=build_source,
        endpoint=("endpoint", "http"),
        files={"wsdl": "routes/schemas", "acceptance": "routes/templates"},
        partners=("partners",),
        on_endpoint=wrong_on,
        inspect=wrong_with_source,
        places=places_of,
        waits=lambda options: bool(options.reply == "sync"),
    ),
)
