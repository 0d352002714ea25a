"""The namespaces of SOAP's envelopes (SOAP 1.1, section 4; SOAP 1.2 part 1, section 5)."""

from __future__ import annotations

ENVELOPES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
