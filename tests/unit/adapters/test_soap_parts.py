"""SOAP replies in several parts."""

from __future__ import annotations

import base64

import pytest

from adapters.soap.calls.multipart import MOST_PARTS
from adapters.soap.calls.reply import soap_reply

ENVELOPE = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://www.w3.org/2004/08/xop/include">
<e:Body><r>%s</r></e:Body></e:Envelope>"""
TYPE = 'multipart/related; boundary=b; start="<r>"'


def reply(*references: bytes, attachments: tuple[bytes, ...] = (b"a", b"b")) -> bytes:
    included = b"".join(b'<d><x:Include href="cid:%s"/></d>' % name for name in references)
    parts = [(b"r", ENVELOPE % included), *((name, b"<%s>" % name) for name in attachments)]
    return b"".join(b"--b\r\nContent-ID: <%s>\r\n\r\n%s\r\n" % part for part in parts) + b"--b--"


def test_attachments_stand_where_the_message_refers_to_them() -> None:
    payload = soap_reply(reply(b"b", b"a"), TYPE).payload
    assert b"<d>%s</d><d>%s</d>" % (base64.b64encode(b"<b>"), base64.b64encode(b"<a>")) in payload


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (reply(b"a", b"b", b"a"), "the reply refers to its attachment 'a' more than once"),
        (reply(b"c"), "the reply refers to an attachment 'c' that it doesn't have"),
        (reply(*[b"a"] * 300), "more than once"),
        (reply(attachments=(b"a",) * (MOST_PARTS + 1)), "the reply has more than 100 parts"),
        (reply(b"a")[:-4], "the last part of the reply has no end"),
        (b"--b\r\nContent-ID: <r>\r\n--b--", "a part of the reply has no end of its headers"),
        (b"--b--", "the reply has no parts"),
    ],
    ids=["twice", "gone", "bomb", "many", "cut", "headless", "empty"],
)
def test_parts_that_are_wrong_are_refused(body: bytes, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        soap_reply(body, TYPE)


def test_a_content_type_whose_parameters_contradict_each_other_is_refused() -> None:
    with pytest.raises(ValueError, match="contradict each other"):
        soap_reply(reply(b"a"), f"{TYPE}; start*=a; start*0=b")
