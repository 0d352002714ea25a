"""A SOAP request: its version, its headers, what it asks."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.soap.serving.fault import SoapFault
from adapters.soap.serving.names import CONTENT_TYPES, ENVELOPES, INSTANCE, NAMESPACES, NEXT, Version
from adapters.soap.serving.safe_xml import UnsafeXml, first_match, parsed
from hub.core.network.web import WebRequest

ACTION = re.compile(r';\s*action="?([^";]*)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """`payload` is the one element of the body; `action` is empty where the client names none."""

    version: Version
    headers: tuple[Any, ...]
    payload: Any
    action: str

    def check_understood(self, understood: Collection[str]) -> None:
        """Raises SoapFault for a header that is for us, has to be understood, and is none of these names."""
        namespace = NAMESPACES[self.version]
        for header in self.headers:
            role = header.get(f"{{{namespace}}}actor") or header.get(f"{{{namespace}}}role") or ""
            must = header.get(f"{{{namespace}}}mustUnderstand", "").strip() in ("1", "true")
            if must and (not role or role in NEXT) and header.tag not in understood:
                raise SoapFault("must-understand", f"the header {header.tag} is not understood here")

    def canonical(self) -> bytes:
        """The payload alone, as exclusive canonical XML: the same bytes for the same content, whatever the client's
        envelope."""
        prefixes = {
            value.partition(":")[0]
            for element in self.payload.iter()
            for value in (element.get(f"{{{INSTANCE}}}type", ""),)
            if ":" in value
        }
        made: bytes = etree.tostring(
            self.payload, method="c14n", exclusive=True, with_tail=False, inclusive_ns_prefixes=sorted(prefixes) or None
        )
        return made


def version_of(request: WebRequest) -> Version | None:
    """As its content type says."""
    return next((version for version, name in CONTENT_TYPES.items() if name == request.content_type), None)


def read_envelope(request: WebRequest, version: Version, body: bytes) -> SoapRequest:
    """Raises SoapFault."""
    try:
        root = parsed(body)
    except UnsafeXml as error:
        raise SoapFault("sender", str(error)) from None
    name = etree.QName(root)
    if name.localname != "Envelope" or ENVELOPES.get(name.namespace or "") != version:
        text = f"an Envelope of SOAP {version} is expected, by the content type; this is {root.tag[:200]}"
        raise SoapFault("version", text)
    namespace = NAMESPACES[version]
    parts = {f"{{{namespace}}}Header": "header", f"{{{namespace}}}Body": "body"}
    names = [parts.get(child.tag, "") for child in root]
    if names not in (["header", "body"], ["body"]):
        raise SoapFault("sender", "an Envelope has at most one Header, then one Body")
    if len(root[-1]) != 1:
        raise SoapFault("sender", f"the Body has {len(root[-1])} elements; one is expected")
    headers = tuple(root[0]) if len(names) == 2 else ()
    return SoapRequest(version, headers, root[-1][0], action_of(request, version))


def headers_in(first: bytes, version: Version) -> tuple[Any, ...] | None:
    """The entries of the envelope's Header, of a message of which only the first bytes have come. None: it isn't whole,
    or there is none before the Body."""

    def is_part(element: Any, name: str) -> bool:
        parent = element.getparent()
        return bool(
            element.tag == f"{{{NAMESPACES[version]}}}{name}" and parent is not None and parent.getparent() is None
        )

    try:
        found = first_match(first, lambda element: is_part(element, "Header"), lambda element: is_part(element, "Body"))
    except UnsafeXml:
        return None  # the whole message is refused for the same reason, and with its words
    return tuple(found) if found is not None else None


def action_of(request: WebRequest, version: Version) -> str:
    if version == "1.1":
        return request.headers.get("soapaction", "").strip().strip('"')
    match = ACTION.search(request.headers.get("content-type", ""))
    return match[1].strip() if match else ""
