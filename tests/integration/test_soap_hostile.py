"""SOAP in: bodies that mean no good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.journal.journal import Journal
from tests.support.soap_calls import ORDER, envelope, fault_of, post, serving
from tests.support.web import Takes

HOSTILE = {
    "an entity of a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + "{}",
    "an entity of the network": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]>' + "{}",
    "a document type of the network": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + "{}",
    "a billion laughs": "<!DOCTYPE x ["
    + '<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>{}",
    "an empty document type": "<!DOCTYPE x>{}",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_document_types_are_refused(tmp_path: Path, journal: Journal, hostile: str) -> None:
    takes = Takes()
    payload = ORDER.replace(
        "<number>1", f"<number>{'&a9;' if 'a9' in hostile else '&e;' if 'ENTITY e' in hostile else '1'}"
    )
    async with serving(tmp_path, journal, takes) as url:
        async with asyncio.timeout(10):
            status, body = await post(url, hostile.replace("{}", envelope(payload).decode()).encode())
        assert (status, fault_of(body)[0]) == (500, "soap:Client")
        assert b"root:" not in body
    assert takes.arrivals == []


@pytest.mark.parametrize(
    "body",
    [
        envelope(ORDER.replace("<CreateOrder", f'<CreateOrder note="{"x" * 10_000_000}"')),
        envelope(ORDER.replace("<CreateOrder", f'<CreateOrder note="{"x" * 200_000}"')),
        envelope("<a>" * 5000 + "</a>" * 5000),
        envelope("<a>" * 120 + "</a>" * 120),
        envelope("<a " + " ".join(f'b{n}="1"' for n in range(5000)) + "/>"),
        envelope(ORDER).replace(b"<number>1", b"<number>\xff\xfe"),
        envelope(ORDER).replace(b"<number>1", b"<number>&#0;"),
        envelope(ORDER)[:-5],
        b"",
        b"\x00" * 100,
        b'<?xml version="1.0" encoding="no-such"?>' + envelope(ORDER),
    ],
    ids=lambda body: f"{len(body)}",
)
async def test_xml_that_is_too_much_or_none(tmp_path: Path, journal: Journal, body: bytes) -> None:
    takes = Takes()
    async with serving(tmp_path, journal, takes) as url:
        async with asyncio.timeout(20):
            status, answer = await post(url, body)
        assert (status, fault_of(answer)[0]) == (500, "soap:Client")
        assert (await post(url, envelope(ORDER)))[0] == 200
    assert len(takes.arrivals) == 1
