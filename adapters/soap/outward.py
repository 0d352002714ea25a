"""SOAP out: the plug-ins."""

from __future__ import annotations

from adapters.soap.destination import SoapDestination, SoapDestinationOptions
from adapters.soap.endpoint import SoapEndpoint, SoapEndpointOptions
from adapters.soap.inspection import SCHEMAS, wrong_with_destination, wrong_with_endpoint
from hub.core.context import Context
from hub.core.plugin import DestinationPlugin, EndpointPlugin

ENDPOINT_EXAMPLE = """\
wsdl: erp.wsdl
address: "${ERP_SOAP_URL}"
security: {user: hub, password: "${ERP_SOAP_PASSWORD}", digest: true}
"""


def build_endpoint(name: str, options: SoapEndpointOptions, context: Context) -> SoapEndpoint:
    from adapters.soap.calls.contract import CalledContract  # zeep takes its time

    contract = CalledContract(context.site / SCHEMAS / options.wsdl, options.version, options.service, options.port)
    tls = options.tls.context(context.site, name) if options.tls is not None else None
    return SoapEndpoint(name, options, contract, tls, context.clock)


def build_destination(name: str, options: SoapDestinationOptions, context: Context) -> SoapDestination:
    endpoint = context.endpoint_of(SoapEndpoint, options.endpoint)
    return SoapDestination(name, options, endpoint, endpoint.contract.operation(options.operation), context)


OUTWARD = (
    EndpointPlugin(
        name="soap",
        options=SoapEndpointOptions,
        summary="A system that speaks SOAP, as a WSDL of the site describes it.",
        example=ENDPOINT_EXAMPLE,
        build=build_endpoint,
        files={"wsdl": SCHEMAS},
        inspect=wrong_with_endpoint,
    ),
    DestinationPlugin(
        name="soap",
        options=SoapDestinationOptions,
        summary="Calls an operation of a SOAP server with each document and reads its reply.",
        example="endpoint: erp-soap\noperation: CreateOrder\n",
        build=build_destination,
        endpoint=("endpoint", "soap"),
        inspect=wrong_with_destination,
    ),
)
