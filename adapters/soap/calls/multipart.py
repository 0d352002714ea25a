"""Replies in several parts (RFC 2387), whose attachments stand beside the message (MTOM, XOP 1.0): made one message
again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from urllib.parse import unquote

from lxml import etree

XOP = "{http://www.w3.org/2004/08/xop/include}Include"
MOST_PARTS = 100


def is_multipart(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "multipart/related"


def parts(body: bytes, content_type: str) -> tuple[bytes, dict[str, bytes]]:
    """The root part, and the others by their content ids. Raises ValueError."""
    outer = Message()
    outer["Content-Type"] = content_type
    try:
        boundary, start = outer.get_param("boundary"), outer.get_param("start")
    except TypeError:  # the email package fails on a name that stands whole and in pieces (RFC 2231)
        raise ValueError("the parameters of the reply's Content-Type contradict each other") from None
    if not isinstance(boundary, str) or not boundary:
        raise ValueError("the reply has several parts and no boundary")
    found = list(split(b"\r\n" + body, b"\r\n--" + boundary.encode("latin-1")))
    if not found:
        raise ValueError("the reply has no parts")
    by_id = {head.get("Content-ID", "").strip().strip("<>"): content for head, content in found}
    root = by_id.get(start.strip("<>"), found[0][1]) if isinstance(start, str) else found[0][1]
    return root, by_id


def split(body: bytes, delimiter: bytes) -> Iterator[tuple[Message, bytes]]:
    pieces = body.split(delimiter, MOST_PARTS + 2)
    if len(pieces) > MOST_PARTS + 2:
        raise ValueError(f"the reply has more than {MOST_PARTS} parts")
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        head, gap, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not gap:
            raise ValueError("a part of the reply has no end of its headers")
        headers = BytesHeaderParser().parsebytes(head)
        encoding = headers.get("Content-Transfer-Encoding", "binary").strip().lower()
        yield headers, base64.b64decode(content) if encoding == "base64" else content
    raise ValueError("the last part of the reply has no end")


def put_in(root: etree._Element, attachments: dict[str, bytes]) -> None:
    """Puts each attachment where the message refers to it, as XML holds bytes: in base64. Each is referred to once at
    most, so that the message becomes no larger than the reply's bytes in base64. Raises ValueError."""
    put: set[str] = set()
    for include in list(root.iter(XOP)):
        name = unquote(include.get("href", "").removeprefix("cid:"))
        if name not in attachments:
            raise ValueError(f"the reply refers to an attachment {name[:80]!r} that it doesn't have")
        if name in put:
            raise ValueError(f"the reply refers to its attachment {name[:80]!r} more than once")
        put.add(name)
        parent = include.getparent()
        if parent is None:
            raise ValueError("the reply is nothing but a reference")
        parent.remove(include)
        parent.text = base64.b64encode(attachments[name]).decode()
