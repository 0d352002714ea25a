"""The parts of a MIME message that are documents (RFC 2045, 2046; RFC 1767 for EDI)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from email.parser import BytesFeedParser
from email.policy import Compat32, compat32
from typing import Any

from hub.core.errors import DecodeError
from hub.core.ports import Body, BytesBody
from transformers.unpack.entry import MOST_ENTRIES, TooMuch, UnpackAllowance, UnpackedEntry

LARGEST_MIME = 64_000_000
DEEPEST = 10
MOST_PARTS = 2 * MOST_ENTRIES
"""With those that hold others, and those that are no documents."""

LONGEST_HEADER = 4000
"""Characters of one header that has parameters: the time in which its parameters are found grows with their square."""

SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
WORDS = ("text/plain", "text/html")
SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")


class _Count:
    """Of all parts of a message, while it is parsed."""

    def __init__(self) -> None:
        self.parts = 0

    def one_more(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise TooMuch(f"more than {MOST_PARTS} MIME parts")


class _Part(Message):
    """Knows while it is parsed how deep it lies: each line is compared with the boundaries of all parts around it."""

    depth = 0
    count: _Count

    def __init__(self, policy: Any = compat32) -> None:
        super().__init__(policy)
        self.count = _Count()

    def _get_params_preserve(self, failobj: Any, header: str) -> Any:
        """Through this the email package reads all parameters of a header. It fails on a name that stands whole and in
        pieces (RFC 2231)."""
        try:
            return super()._get_params_preserve(failobj, header)  # type: ignore[misc]
        except (TypeError, ValueError) as error:
            raise DecodeError(f"the parameters of a MIME header contradict each other: {header}") from error

    def attach(self, payload: Any) -> None:
        payload.depth = self.depth + 1
        payload.count = self.count
        self.count.one_more()
        if payload.depth > DEEPEST:
            raise DecodeError(f"MIME parts nested more than {DEEPEST} deep")
        super().attach(payload)


class _Headers(Compat32):
    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        if sourcelines[0].lower().startswith("content-") and sum(map(len, sourcelines)) > LONGEST_HEADER:
            raise DecodeError(f"a MIME header of more than {LONGEST_HEADER} characters")
        return super().header_source_parse(sourcelines)


def mime_parts(body: Body, allowance: UnpackAllowance, content_type: str = "") -> Iterator[UnpackedEntry]:
    """Attachments, and whatever isn't a text for people; that text only where there is nothing else. Signatures are
    left out, and not checked. `content_type` is what the transport says where the body has no header of its own."""
    if body.size > LARGEST_MIME:
        raise DecodeError(f"a MIME message of {body.size} bytes, more than {LARGEST_MIME}")
    parser = BytesFeedParser(_Part, policy=_Headers())
    if content_type:
        parser.feed(b"Content-Type: " + " ".join(content_type.split()).encode("ascii", "replace") + b"\r\n\r\n")
    for chunk in body.chunks():
        parser.feed(chunk)
    leaves = list(_leaves(parser.close()))
    papers = [leaf for leaf in leaves if leaf.get_content_type() not in WORDS or _attached(leaf)]
    for part in papers or leaves:
        allowance.one_more()
        yield _entry(part, allowance)


def _leaves(message: Message) -> Iterator[Message]:
    kind = message.get_content_type()
    if kind in SEALED:
        raise DecodeError(f"a part is {kind}: encrypted, and can't be read")
    if message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _leaves(part)
    elif kind not in SIGNATURES:
        yield message


def _attached(part: Message) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or part.get_filename() is not None
    except DecodeError:
        return True  # told when it is read


def _entry(part: Message, allowance: UnpackAllowance) -> UnpackedEntry:
    try:
        name = str(part.get_filename() or "")[:200]
    except DecodeError as error:
        return UnpackedEntry(None, error=error)
    if part.defects:
        return UnpackedEntry(None, error=DecodeError(f"a MIME part is malformed: {type(part.defects[0]).__name__}"))
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if part.defects:
        return UnpackedEntry(None, error=DecodeError(f"a MIME part is malformed: {type(part.defects[0]).__name__}"))
    allowance.spend(len(data))
    return UnpackedEntry(BytesBody(data), name)
