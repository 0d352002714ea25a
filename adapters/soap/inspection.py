"""What is wrong with a contract of the site, seen before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hub.core.errors import ConfigError
from hub.core.network.clear_text import credentials_in_the_clear
from hub.core.options.nearest import hint
from hub.core.plugin import Problem

if TYPE_CHECKING:
    from adapters.soap.destination import SoapDestinationOptions
    from adapters.soap.endpoint import SoapEndpointOptions
    from adapters.soap.serving.options import SoapSourceOptions

SCHEMAS = "routes/schemas"


def wrong_with_endpoint(options: SoapEndpointOptions, endpoint: None, site: Path) -> Iterator[Problem]:
    """The whole contract is read, as it is to be called."""
    # zeep takes its time: a site without SOAP doesn't wait for it
    from adapters.soap.calls.contract import CalledContract
    from adapters.soap.endpoint import usable

    try:
        contract = CalledContract(site / SCHEMAS / options.wsdl, options.version, options.service, options.port)
    except ConfigError as error:
        yield Problem(("wsdl",), error.text, error.hint)
        return
    if not usable(options.address or contract.address or ""):
        yield Problem(("wsdl",), f"{options.wsdl} names no address that can be called", "say `address`")
    security = options.security
    if security is not None and security.password and not security.digest:
        field = "address" if options.address else "wsdl"
        yield from credentials_in_the_clear(field, options.address or contract.address or "", "the password travels")


def wrong_with_destination(
    options: SoapDestinationOptions, endpoint: SoapEndpointOptions | None, site: Path
) -> Iterator[Problem]:
    """Only its operation: the contract is the endpoint's, and is read once."""
    known = operations_in(site / SCHEMAS / endpoint.wsdl) if endpoint is not None else ()
    if endpoint is not None and known and options.operation not in known:
        text = f"{endpoint.wsdl} has no operation {options.operation!r}"
        yield Problem(("operation",), text, hint(options.operation, known))


def wrong_with_source(options: SoapSourceOptions, endpoint: object, site: Path) -> Iterator[Problem]:
    """The whole contract is read, as it is to be served."""
    from adapters.soap.serving.contract import ServedContract
    from adapters.soap.serving.source import answers_fit

    try:
        answers_fit(ServedContract(options.wsdl, site / SCHEMAS, options.operations), options)
    except ConfigError as error:
        yield Problem(("wsdl",), error.text, error.hint)


def operations_in(wsdl: Path) -> tuple[str, ...]:
    """The operations of its bindings; none where it can't be read, or where they may stand in another file."""
    from adapters.soap.serving.names import WSDL
    from adapters.soap.serving.safe_xml import UnsafeXml, parsed

    try:
        root = parsed(wsdl.read_bytes())
    except (OSError, UnsafeXml):
        return ()
    if root.find(f"{{{WSDL}}}import") is not None:
        return ()
    found = root.iterfind(f"{{{WSDL}}}binding/{{{WSDL}}}operation")
    return tuple(sorted({operation.get("name", "") for operation in found}))
