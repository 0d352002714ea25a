"""A mail as the bytes that are sent. They are parsed again, and refused unless they say exactly what was set.

Python's email package folds and decodes headers differently from version to version, and some versions let an encoded
word (RFC 2047) write a header of its own. Our headers are therefore written here, one line each, in ASCII; the package
makes the body alone. The check parses with `compat32`, which neither decodes nor folds and is the same in all versions.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage, Message
from typing import Any

OUT = policy.SMTP.clone(cte_type="7bit", raise_on_defect=True)
TOKEN = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,60}")
ATTACHED_AS = ("application", "text", "image", "audio", "video")
WORD_BYTES = 45
"""UTF-8 bytes of one encoded word, which has at most 75 characters."""

LONGEST_LINE = 900
"""Characters; a line of a mail has at most 998 (RFC 5322, 2.1.1)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    body: bytes
    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Mail:
    """`headers` in their order, without those of the body; `subtype` is that of `text/...`. The boundary between text
    and attachment is made of `seed`: the same mail always has the same bytes."""

    sender: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    text: str
    subtype: str = "plain"
    attachment: Attachment | None = None
    seed: str = ""

    def finished(self) -> bytes:
        """Raises ValueError for a mail that would say something else than what was set."""
        lines = [f"{name}: {encoded(value)}" for name, value in self._all_headers()]
        lines[1] = lines[1].replace(", ", ",\r\n ")  # one recipient a line
        long = next((line for line in "\r\n".join(lines).split("\r\n") if len(line) > LONGEST_LINE), None)
        if long is not None:
            raise ValueError(f"the header {long[:40]!r}... is longer than {LONGEST_LINE} characters")
        raw = "\r\n".join((*lines, "")).encode("ascii") + self._body()
        self._check(raw)
        return raw

    def _all_headers(self) -> tuple[tuple[str, str], ...]:
        return (("From", self.sender), ("To", ", ".join(self.recipients)), *self.headers)

    def _body(self) -> bytes:
        """With its own headers, which tell what it is."""
        made = EmailMessage(OUT)
        made.set_content(self.text, subtype=self.subtype)
        attached = self.attachment
        if attached is not None:
            main, sub = split_type(attached.content_type)
            made.add_attachment(attached.body, maintype=main, subtype=sub, filename=attached.name)
            made.set_boundary(f"=_{hashlib.sha256(self.seed.encode()).hexdigest()[:40]}")
        return made.as_bytes()

    def _check(self, raw: bytes) -> None:
        message: Message[str, str] = message_from_bytes(raw, policy=policy.compat32)
        wanted = self._all_headers()
        found = [
            (name, str(value)) for name, value in message.items() if not name.lower().startswith(("content-", "mime-"))
        ]
        if [name for name, _ in found] != [name for name, _ in wanted]:
            raise ValueError(f"its headers would be {', '.join(name for name, _ in found)[:300]}")
        for (name, value), (_, said) in zip(wanted, found, strict=True):
            if decoded(said) != value:
                raise ValueError(f"its header {name} would say {decoded(said)[:200]!r}")
        parts = [part for part in message.walk() if not part.is_multipart()]
        if message.defects or len(parts) != (1 if self.attachment is None else 2):
            raise ValueError(f"it would have {len(parts)} parts, {len(message.defects)} of its lines would be broken")
        if lines_of(payload(parts[0])) != lines_of(self.text.encode()):
            raise ValueError("its text would be another")
        attached = self.attachment
        if attached is not None and (payload(parts[1]), parts[1].get_filename()) != (attached.body, attached.name):
            raise ValueError(f"its attachment would be another: {parts[1].get_filename()!r}")


def harmless(text: str) -> str:
    """On one line, and without the begin of an encoded word, which programs decode wherever they see it."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line.replace("=?", "= ?")


def encoded(value: str) -> str:
    """A header's value: as it is when it is ASCII, else as encoded words, one a line (RFC 2047)."""
    if not value.isprintable() or "=?" in value:
        raise ValueError(f"{value[:100]!r} can't stand in a header")
    if value.isascii():
        return value
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words(value))


def words(value: str) -> Iterator[bytes]:
    word = b""
    for character in value:
        one = character.encode()
        if len(word) + len(one) > WORD_BYTES:
            yield word
            word = b""
        word += one
    yield word


def decoded(value: str) -> str:
    """What a program shows of a header."""
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    return "".join(
        part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part
        for part, charset in decode_header(unfolded)
    )


def payload(part: Message[Any, Any]) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def lines_of(text: bytes) -> Sequence[bytes]:
    """Without what tells of the system's line ends, and without empty lines at the end."""
    lines = text.splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def split_type(content_type: str) -> tuple[str, str]:
    main, _, sub = content_type.partition(";")[0].strip().lower().partition("/")
    if main in ATTACHED_AS and TOKEN.fullmatch(sub):
        return main, sub
    return "application", "octet-stream"
