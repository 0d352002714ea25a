"""Mail out: notices to people."""

from __future__ import annotations

from adapters.mail.destination import MailDestination
from adapters.mail.endpoint import MailEndpoint, MailEndpointOptions, context_of
from adapters.mail.notice import MailDestinationOptions
from hub.core.context import Context
from hub.core.plugin import DestinationPlugin, EndpointPlugin


def build_endpoint(name: str, options: MailEndpointOptions, context: Context) -> MailEndpoint:
    return MailEndpoint(options, context_of(options, context.site, name), context.clock)


def build_destination(name: str, options: MailDestinationOptions, context: Context) -> MailDestination:
    return MailDestination(options, context.endpoint_of(MailEndpoint, options.endpoint))


PLUGINS = (
    EndpointPlugin(
        name="mail",
        options=MailEndpointOptions,
        concurrent=lambda options: options.connections,
        summary="A mail server that takes what we send.",
        example='host: mail.example\nuser: hub\npassword: "${MAIL_PASSWORD}"\n',
        build=build_endpoint,
    ),
    DestinationPlugin(
        name="mail",
        options=MailDestinationOptions,
        summary="Sends a notice by mail for each document.",
        example=(
            'endpoint: mail\nfrom: hub@example.com\nto: [order-desk@example.com]\nsubject: "Order {number} of'
            ' {partner}"\n'
        ),
        build=build_destination,
        endpoint=("endpoint", "mail"),
        fact_templates=("to", "subject", "text", "name"),
    ),
)
