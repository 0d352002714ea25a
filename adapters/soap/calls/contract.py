"""The contract of a SOAP server, read from a WSDL that stands in the site. zeep stays in this package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError

from adapters.soap.calls.envelopes import ENVELOPES
from hub.core.errors import ConfigError, RejectedError
from hub.core.exact_number import exact
from hub.core.replies.reply_xml import safe_xml

MISTAKES = (ZeepError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class VendoredFiles:
    """What the WSDL imports: files beside it, and nothing else. Nothing is ever fetched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def load(self, url: str) -> bytes:
        path = Path(url.removeprefix("file://")).resolve()
        if "://" in url.removeprefix("file://") or not path.is_relative_to(self._folder):
            raise ConfigError(f"{url} is imported by the WSDL, and isn't in the site", hint="put it beside the WSDL")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{url} can't be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class CalledOperation:
    """One operation. `element`: what the body holds. `answers`: it has an output."""

    name: str
    action: str
    element: str
    answers: bool


class CalledContract:
    """One port of a WSDL. Safe to use from several threads."""

    def __init__(self, wsdl: Path, version: str | None, service: str | None, port: str | None) -> None:
        """Raises ConfigError."""
        try:
            files: Any = VendoredFiles(wsdl.parent)
            settings = Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)
            self._client = Client(str(wsdl), transport=files, settings=settings)  # type: ignore[no-untyped-call]
            self._service = self._bound(version, service, port)
        except (*MISTAKES, NotImplementedError, OSError) as error:
            raise ConfigError(f"{wsdl.name}: {' '.join(str(error).split()) or type(error).__name__}") from error
        self._binding = self._service._binding
        self.version = "1.2" if self._binding.nsmap["soap-env"] == ENVELOPES["1.2"] else "1.1"
        self.address: str | None = self._service._binding_options.get("address")

    def _bound(self, version: str | None, service: str | None, port: str | None) -> Any:
        """The port that is asked for, else the first that speaks the version."""
        for service_name, one in self._client.wsdl.services.items():
            if service not in (None, service_name):
                continue
            for name, bound in one.ports.items():
                speaks = getattr(bound.binding, "nsmap", {}).get("soap-env")
                if port in (None, name) and speaks in ([ENVELOPES[version]] if version else ENVELOPES.values()):
                    return self._client.bind(service_name, name)
        wanted = ", ".join(str(one) for one in (service, port, version and f"SOAP {version}") if one)
        raise ConfigError(f"the WSDL has no such port{f': {wanted}' if wanted else ' that speaks SOAP'}")

    def operation(self, name: str) -> CalledOperation:
        """Raises ConfigError."""
        operations = self._binding._operations
        if name not in operations:
            raise ConfigError(f"there is no operation {name!r}", hint=f"the WSDL has {', '.join(sorted(operations))}")
        found = operations[name]
        element = getattr(found.input.body, "qname", None)
        return CalledOperation(
            name, found.soapaction or "", element.text if element is not None else "", bool(found.output)
        )

    def envelope(self, operation: CalledOperation, body: bytes, content_type: str) -> etree._Element:
        """The message: of XML, which is the operation's element, or of JSON, whose keys are the arguments. Raises
        RejectedError where they don't fit the contract."""
        if "xml" in content_type:
            return self._wrapped(operation, body)
        arguments = arguments_in(body)
        try:
            return self._client.create_message(self._service, operation.name, **arguments)  # type: ignore[no-untyped-call]
        except MISTAKES as error:
            text = " ".join(str(error).split())[:500]
            raise RejectedError(f"{operation.name}: {text or type(error).__name__}", code="bad_arguments") from error

    def _wrapped(self, operation: CalledOperation, body: bytes) -> etree._Element:
        element = safe_xml(body)
        if element is None:
            raise RejectedError("what is to be sent is no XML, or XML with a document type", code="bad_arguments")
        if operation.element and element.tag != operation.element:
            text = f"{operation.name} takes {operation.element}, not {element.tag}"
            raise RejectedError(text, code="bad_arguments")
        space = ENVELOPES[self.version]
        envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap-env": space})
        etree.SubElement(envelope, f"{{{space}}}Body").append(element)
        return envelope


def arguments_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_float=exact)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RejectedError("what is to be sent should be XML, or a JSON object of arguments", code="bad_arguments")
    return found
