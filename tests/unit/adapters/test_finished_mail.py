"""Mails as bytes: they say what was set, and nothing that a fact has made up."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from adapters.mail import finished
from adapters.mail.finished import Attachment, Mail, harmless

HOSTILE = [
    "=?utf-8?q?1=0D=0ABcc:_evil@example.com?=",
    "=?utf-8?q?1=0D=0A=0D=0AAnother_body?=",
    "=?utf-8?b?MQ0KQmNjOiBldmlsQGV4YW1wbGUuY29t?=",
    "=?iso-8859-1?q?a?= =?utf-8?q?=0A?=",
    "1 ==?utf-8?q?=0A?=",
    "é =?utf-8?q?=0D=0ABcc:_x?= é",
    "1\r\nBcc: evil@example.com",
    "1\x00\x1b[2J\u0085\u2028\u202e",
    "é" * 150,
    "a" * 190,
    "=?",
    "😀 =??= ?= =",
]
MAIL = Mail("hub@ours.example", ("desk@ours.example", "b@ours.example"), (("Subject", "Order 1"),), "Hello\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_subject_is_what_is_read_and_writes_nothing_else(text: str) -> None:
    subject = harmless(f"Order {text} is here")
    mail = replace(MAIL, headers=(("Subject", subject), ("Auto-Submitted", "auto-generated")))
    for attachment in (None, Attachment(b"\x00\r\n.\r\n", harmless(f"{text}.json").strip(), "application/json")):
        raw = replace(mail, attachment=attachment).finished()
        read = message_from_bytes(raw, policy=policy.default)
        assert read["Subject"] == subject
        assert read["To"] == "desk@ours.example, b@ours.example"
        assert "Bcc" not in read
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998
        assert raw.isascii()


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ("1\r\nBcc: evil@example.com", "its headers would be From, To, Subject, Bcc"),
        ("1\r\n\r\nAnother body", "its header Subject would say '1'"),
        ("=?utf-8?q?another?=", "its header Subject would say 'another'"),
        ("1\r\nX", "its headers would be|lines would be broken|its text would be another|would say"),
    ],
)
def test_finished_bytes_that_say_something_else_are_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: str, cause: str
) -> None:
    """As a version of the library would write them that forgets to encode."""
    monkeypatch.setattr(finished, "encoded", lambda value: value)
    with pytest.raises(ValueError, match=cause):
        replace(MAIL, headers=(("Subject", wrong),)).finished()


def test_what_can_not_stand_in_a_header_is_refused() -> None:
    for wrong in ("1\r\nBcc: x", "=?utf-8?q?x?=", "a" * 950):
        with pytest.raises(ValueError):
            replace(MAIL, headers=(("Subject", wrong),)).finished()
    with pytest.raises(ValueError):
        replace(MAIL, recipients=("a@ours.example\nBcc: x@evil.example",)).finished()


def test_types_of_attachments_that_are_no_types_are_none() -> None:
    for content_type in ("multipart/mixed; boundary=x", "message/rfc822", "text/a\r\nBcc: x", "nothing", "a/b/c"):
        raw = replace(MAIL, attachment=Attachment(b"x", "a.json", content_type)).finished()
        assert b"application/octet-stream" in raw
