"""Answers by the contract: of a destination, or that something was taken."""

from __future__ import annotations

from html import escape
from typing import Any

from lxml import etree

from adapters.soap.serving.contract import ServedContract, ServedOperation
from adapters.soap.serving.fault import new_envelope, soap_response
from adapters.soap.serving.names import ENVELOPES, Version
from adapters.soap.serving.safe_xml import UnsafeXml, parsed
from hub.core.errors import ConfigError
from hub.core.network.web import WebResponse


class SoapReplies:
    """`template` is the element that tells what was taken, None: there is none. Raises ConfigError where no operation
    answers with it."""

    def __init__(self, contract: ServedContract, template: str | None) -> None:
        self._contract = contract
        self._template = template
        if template is not None:
            self._check(template)

    def accepted(self, version: Version, id: str, documents: int) -> WebResponse | None:
        if self._template is None:
            return None
        return wrapped(version, parsed(filled(self._template, id, documents)))

    def of_destination(self, version: Version, operation: ServedOperation, reply: bytes) -> WebResponse | None:
        """None for what the contract doesn't have as the operation's answer. A far end that speaks SOAP has its
        envelope taken off."""
        try:
            root = parsed(reply)
        except UnsafeXml:
            return None
        name = etree.QName(root)
        if name.localname == "Envelope" and name.namespace in ENVELOPES:
            body = root.find(f"{{{name.namespace}}}Body")
            root = body[0] if body is not None and len(body) == 1 else root
        if root.tag != operation.answer or self._contract.schemas.findings(root):
            return None
        return wrapped(version, root)

    def _check(self, template: str) -> None:
        try:
            element = parsed(filled(template, "0" * 32, 1))
        except (UnsafeXml, ValueError) as error:
            raise ConfigError(f"`acceptance`: {error}") from None
        answers = {one.answer for one in self._contract.operations.values()}
        if answers != {element.tag}:
            told = ", ".join(sorted(answer or "nothing" for answer in answers))
            raise ConfigError(f"`acceptance` is {element.tag}; the operations answer with {told}")
        wrong = self._contract.schemas.findings(element)
        if wrong:
            raise ConfigError(f"`acceptance` is not what {self._contract.name} says: {wrong}")


def filled(template: str, id: str, documents: int) -> bytes:
    return template.replace("{id}", escape(id)).replace("{documents}", str(documents)).encode()


def wrapped(version: Version, element: Any) -> WebResponse:
    envelope, body = new_envelope(version)
    body.append(element)
    return soap_response(version, envelope)
