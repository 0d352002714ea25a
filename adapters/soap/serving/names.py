"""Namespaces and names of SOAP 1.1 and 1.2, WSDL 1.1, XML Schema and WS-Security 1.0."""

from __future__ import annotations

from typing import Literal

Version = Literal["1.1", "1.2"]

ENVELOPES: dict[str, Version] = {
    "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
    "http://www.w3.org/2003/05/soap-envelope": "1.2",
}
NAMESPACES: dict[Version, str] = {version: namespace for namespace, version in ENVELOPES.items()}
CONTENT_TYPES: dict[Version, str] = {"1.1": "text/xml", "1.2": "application/soap+xml"}

NEXT = {
    "http://schemas.xmlsoap.org/soap/actor/next",
    "http://www.w3.org/2003/05/soap-envelope/role/next",
    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
}
"""Roles that are ours, beside none at all."""

WSDL = "http://schemas.xmlsoap.org/wsdl/"
BINDINGS = {"http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"}
SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{OASIS}wssecurity-secext-1.0.xsd"
WSU = f"{OASIS}wssecurity-utility-1.0.xsd"
PASSWORD_TEXT = f"{OASIS}username-token-profile-1.0#PasswordText"
PASSWORD_DIGEST = f"{OASIS}username-token-profile-1.0#PasswordDigest"

PROBLEM = "urn:ietf:rfc:7807"
"""The namespace of problem details in XML (RFC 9457, appendix B)."""
