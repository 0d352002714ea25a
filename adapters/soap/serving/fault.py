"""Why a request gets no answer, in the words of both versions of SOAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lxml import etree

from adapters.soap.serving.names import CONTENT_TYPES, NAMESPACES, PROBLEM, WSSE, Version
from hub.core.message import empty
from hub.core.network.web import WebResponse

Whose = Literal["sender", "receiver", "must-understand", "version"]

CODES: Mapping[Version, Mapping[Whose, str]] = {
    "1.1": {
        "sender": "Client",
        "receiver": "Server",
        "must-understand": "MustUnderstand",
        "version": "VersionMismatch",
    },
    "1.2": {
        "sender": "Sender",
        "receiver": "Receiver",
        "must-understand": "MustUnderstand",
        "version": "VersionMismatch",
    },
}


class SoapFault(Exception):
    """`security` is a code of WS-Security (`FailedAuthentication`); `problem` are members of the problem details that
    go along; `retry_after` are seconds for the header of that name."""

    def __init__(
        self,
        whose: Whose,
        text: str,
        *,
        security: str = "",
        problem: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.said = Said(whose, text, security, problem or {}, retry_after)
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Said:
    whose: Whose
    text: str
    security: str = ""
    problem: Mapping[str, Any] = field(default_factory=empty)
    retry_after: int | None = None


def fault_response(version: Version, fault: SoapFault) -> WebResponse:
    """SOAP 1.1 has one HTTP status for all faults; 1.2 tells the sender's from ours."""
    said = fault.said
    namespace = NAMESPACES[version]
    envelope, body = new_envelope(version, {"wsse": WSSE} if said.security else {})
    element = etree.SubElement(body, etree.QName(namespace, "Fault"))
    (told_in_11 if version == "1.1" else told_in_12)(element, said, namespace)
    status = 400 if version == "1.2" and said.whose == "sender" else 500
    made = soap_response(version, envelope, status)
    return made if said.retry_after is None else replace(made, headers={"Retry-After": str(said.retry_after)})


def told_in_11(element: Any, said: Said, namespace: str) -> None:
    code = f"wsse:{said.security}" if said.security else f"soap:{CODES['1.1'][said.whose]}"
    etree.SubElement(element, "faultcode").text = code
    etree.SubElement(element, "faultstring").text = plain(said.text)
    if said.problem:
        details(etree.SubElement(element, "detail"), said)


def told_in_12(element: Any, said: Said, namespace: str) -> None:
    def part(parent: Any, name: str, text: str | None = None) -> Any:
        made = etree.SubElement(parent, etree.QName(namespace, name))
        made.text = text
        return made

    code = part(element, "Code")
    part(code, "Value", f"soap:{CODES['1.2'][said.whose]}")
    if said.security:
        part(part(code, "Subcode"), "Value", f"wsse:{said.security}")
    reason = part(part(element, "Reason"), "Text", plain(said.text))
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    if said.problem:
        details(part(element, "Detail"), said)


def details(parent: Any, said: Said) -> None:
    problem = etree.SubElement(parent, etree.QName(PROBLEM, "problem"), nsmap={None: PROBLEM})
    for name, value in {"detail": said.text, **said.problem}.items():
        etree.SubElement(problem, etree.QName(PROBLEM, name)).text = plain(str(value))


def new_envelope(version: Version, prefixes: Mapping[str, str] | None = None) -> tuple[Any, Any]:
    """An envelope, and its body."""
    namespace = NAMESPACES[version]
    envelope = etree.Element(etree.QName(namespace, "Envelope"), nsmap={"soap": namespace, **(prefixes or {})})
    return envelope, etree.SubElement(envelope, etree.QName(namespace, "Body"))


def soap_response(version: Version, envelope: Any, status: int = 200) -> WebResponse:
    made = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return WebResponse(status, made, f"{CONTENT_TYPES[version]}; charset=utf-8")


def plain(text: str) -> str:
    """What XML can hold, and nobody minds to read."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text[:2000])
