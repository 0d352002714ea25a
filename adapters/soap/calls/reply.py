"""What a SOAP server replied: the payload of its message, or its fault. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from adapters.soap.calls.envelopes import ENVELOPES
from adapters.soap.calls.multipart import is_multipart, parts, put_in
from hub.core.apart import Piece
from hub.core.errors import DecodeError
from hub.core.replies.reply_xml import safe_xml


@dataclass(frozen=True, slots=True)
class SoapReply:
    """`payload` is the element in the body, as a document of its own; empty where there is none. `fault`: the codes of
    a fault from the general to the special, without prefixes; None: it is none. `text` is what the fault says."""

    payload: bytes = b""
    fault: tuple[str, ...] | None = None
    text: str = ""


def soap_reply(body: bytes, content_type: str) -> SoapReply:
    """Raises ValueError for what is no SOAP message."""
    attachments: dict[str, bytes] = {}
    if is_multipart(content_type):
        body, attachments = parts(body, content_type)
    root = safe_xml(body)
    if root is None:
        raise ValueError("the reply is no XML, or XML with a document type")
    space = next((space for space in ENVELOPES.values() if root.tag == f"{{{space}}}Envelope"), None)
    found = root.find(f"{{{space}}}Body") if space else None
    if space is None or found is None:
        raise ValueError("the reply is no SOAP message")
    put_in(root, attachments)
    fault = found.find(f"{{{space}}}Fault")
    if fault is not None:
        codes, text = codes_of(fault, space), text_of(fault, space)
        return SoapReply(alone(fault), codes, text)
    payload = next(found.iterchildren("*"), None)
    return SoapReply(alone(payload) if payload is not None else b"")


def pieces_of(body: bytes, content_type: str) -> Iterator[Piece]:
    """The same as a piece that can travel. Raises DecodeError."""
    try:
        reply = soap_reply(body, content_type)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    yield {"fault": reply.fault, "text": reply.text}, reply.payload


def reply_from(pieces: Sequence[Piece]) -> SoapReply:
    """Raises DecodeError for what `pieces_of` doesn't give."""
    try:
        ((head, payload),) = pieces
        fault = head["fault"]
        return SoapReply(payload, None if fault is None else tuple(map(str, fault)), str(head["text"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DecodeError(f"a worker has made no reply of it: {type(error).__name__}: {error}") from None


def codes_of(fault: etree._Element, space: str) -> tuple[str, ...]:
    if space == ENVELOPES["1.1"]:
        code = local(fault.findtext("faultcode") or "")
        general = code.partition(".")[0]  # Client.Authentication is a Client (SOAP 1.1 4.4.1)
        return (general,) if general == code else (general, code)
    values = (value.text or "" for value in fault.findall(f"{{{space}}}Code//{{{space}}}Value"))
    return tuple(local(value) for value in values) or ("",)


def text_of(fault: etree._Element, space: str) -> str:
    if space == ENVELOPES["1.1"]:
        return " ".join((fault.findtext("faultstring") or "").split())
    return " ".join((fault.findtext(f"{{{space}}}Reason/{{{space}}}Text") or "").split())


def local(name: str) -> str:
    return name.strip().rpartition(":")[2]


def alone(element: etree._Element) -> bytes:
    """The element as a document of its own, with the namespaces that it uses."""
    return bytes(etree.tostring(element, encoding="utf-8", with_tail=False))
