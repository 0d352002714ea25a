"""SOAP in: called by zeep, a client of other make, and by those that mean no good."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import zeep
from lxml import etree
from pydantic import ValidationError
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from adapters.soap.serving.names import NAMESPACES, PASSWORD_DIGEST, PASSWORD_TEXT, WSSE, WSU, Version
from adapters.soap.serving.options import SoapSourceOptions
from adapters.soap.serving.source import SoapSource
from hub.core.errors import ConfigError, TransientError
from hub.core.ports import Arrival, Taken
from hub.journal.entry import Entry
from hub.journal.journal import Journal
from tests.support.soap_orders import ORDERS, TYPES, WSDL, write_contract
from tests.support.web import Takes, context_of, listening_endpoint, running

PASSWORD = "open sesame"
USERS = {"users": {"ACME": {"user": "acme-erp", "password": PASSWORD}}}
ACCEPTED = {"operations": ["CreateOrder"], "reply": "accepted", "acceptance": "accepted.xml"}
LINES = [{"sku": "A-1", "quantity": 2}]
VERSIONS: tuple[Version, ...] = ("1.1", "1.2")


@asynccontextmanager
async def serving(
    folder: Path, journal: Journal, take: Any, security: Any = "none", **options: Any
) -> AsyncIterator[str]:
    """Gives the URL of the source."""
    write_contract(folder)
    told = {
        "endpoint": "web",
        "path": "/soap/orders",
        "wsdl": "orders.wsdl",
        "security": security,
        **(options or ACCEPTED),
    }
    async with listening_endpoint(folder, journal, largest="20MB") as listener:
        made = SoapSourceOptions.model_validate_json(json.dumps(told))
        context = replace(
            context_of(folder, journal, listener), text=lambda where, name: (folder / where / name).read_text()
        )
        source = SoapSource("called", made, listener, context)
        async with running(source, take, listener, "/soap/orders?wsdl"):
            yield listener.url("/soap/orders")


async def called(work: Callable[[], Any]) -> Any:
    """zeep blocks."""
    return await asyncio.to_thread(work)


def client(url: str, port: str = "Port11", wsse: Any = None) -> Any:
    made = zeep.Client(f"{url}?wsdl", wsse=wsse, port_name=port)
    return made.service


def envelope(payload: str, version: Version = "1.1", header: str = "") -> bytes:
    namespace = NAMESPACES[version]
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{namespace}">{head}<s:Body>{payload}</s:Body></s:Envelope>'.encode()


ORDER = (
    f'<CreateOrder xmlns="{ORDERS}"><number>1</number><line><sku xmlns="urn:example:types">A</sku>'
    '<quantity xmlns="urn:example:types">1</quantity></line></CreateOrder>'
)


async def post(
    url: str, body: bytes, content_type: str = "text/xml; charset=utf-8", **headers: str
) -> tuple[int, bytes]:
    named = {"Content-Type": content_type, **headers}
    async with aiohttp.ClientSession() as session, session.post(url, data=BytesIO(body), headers=named) as reply:
        return reply.status, await reply.read()


def fault_of(body: bytes) -> tuple[str, str]:
    """Code and text."""
    root = etree.fromstring(body)
    code = root.findtext(".//faultcode") or root.findtext(f".//{{{NAMESPACES['1.2']}}}Value")
    text = root.findtext(".//faultstring") or root.findtext(f".//{{{NAMESPACES['1.2']}}}Text")
    return code or "", text or ""


@pytest.mark.parametrize("port", ["Port11", "Port12"])
async def test_zeep_calls_by_the_contract_that_it_is_given(tmp_path: Path, journal: Journal, port: str) -> None:
    takes = Takes()
    async with serving(tmp_path, journal, takes) as url:
        ticket = await called(lambda: client(url, port).CreateOrder(number="1", line=LINES, note="a & b"))
    (arrival,) = takes.arrivals
    assert ticket == dict(arrival.keys)["arrival"]
    assert arrival.facts == {"operation": "CreateOrder"}
    assert arrival.headers == {"content_type": "application/xml"}
    root = etree.fromstring(takes.bodies[0])
    assert root.tag == f"{{{ORDERS}}}CreateOrder"
    assert root.get("note") == "a & b"


async def test_the_same_call_is_the_same_bytes_in_both_versions_and_whatever_prefixes(
    tmp_path: Path, journal: Journal
) -> None:
    takes = Takes()
    prefixed = (
        f'<o:CreateOrder xmlns:o="{ORDERS}" xmlns:x="urn:x"><o:number>1</o:number><o:line>'
        '<t:sku xmlns:t="urn:example:types">A</t:sku><t:quantity xmlns:t="urn:example:types">1</t:quantity>'
        "</o:line></o:CreateOrder>"
    )
    async with serving(tmp_path, journal, takes) as url:
        assert (await post(url, envelope(ORDER)))[0] == 200
        assert (await post(url, envelope(f"\n  <!-- x -->{ORDER}\n", "1.2"), "application/soap+xml"))[0] == 200
        assert (await post(url, envelope(prefixed)))[0] == 200
    assert takes.bodies[0] == takes.bodies[1]
    assert b"urn:x" not in takes.bodies[2]


@pytest.mark.parametrize("port", ["Port11", "Port12"])
async def test_one_way(tmp_path: Path, journal: Journal, port: str) -> None:
    takes = Takes()
    async with serving(tmp_path, journal, takes, operations=["Notify"]) as url:
        assert await called(lambda: client(url, port).Notify(text="hello")) is None
        status, body = await post(url, envelope(f'<Notify xmlns="{ORDERS}"><text>x</text></Notify>'))
        assert (status, body) == (202, b"")
    assert len(takes.arrivals) == 2


@pytest.mark.parametrize("port", ["Port11", "Port12"])
@pytest.mark.parametrize("digest", [True, False])
async def test_tokens_of_both_kinds(tmp_path: Path, journal: Journal, port: str, digest: bool) -> None:
    takes = Takes()
    async with serving(tmp_path, journal, takes, {**USERS, "digest": digest}, **ACCEPTED) as url:
        good = UsernameToken("acme-erp", PASSWORD, use_digest=digest)
        assert await called(lambda: client(url, port, good).CreateOrder(number="1", line=LINES))
        for wrong in (UsernameToken("acme-erp", "x", use_digest=digest), UsernameToken("else", PASSWORD), None):
            with pytest.raises(Fault) as fault:
                await called(lambda wrong=wrong: client(url, port, wrong).CreateOrder(number="1", line=LINES))
            assert str(fault.value) == "the security token could not be authenticated or authorized"
    assert [arrival.partner for arrival in takes.arrivals] == ["ACME"]


def token(created: datetime | None = None, nonce: bytes = b"", kind: str = PASSWORD_DIGEST, more: str = "") -> str:
    at, nonce = (created or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"), nonce or os.urandom(16)
    digest = base64.b64encode(sha1(nonce + at.encode() + PASSWORD.encode()).digest()).decode()
    password = PASSWORD if kind == PASSWORD_TEXT else digest
    return (
        f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}" s:mustUnderstand="1">{more}<w:UsernameToken>'
        f'<w:Username>acme-erp</w:Username><w:Password Type="{kind}">{password}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{at}</u:Created></w:UsernameToken></w:Security>"
    )


async def test_tokens_that_are_old_repeated_or_odd(tmp_path: Path, journal: Journal) -> None:
    takes, now = Takes(), datetime.now(UTC)
    good = token()
    expired = f"<u:Timestamp><u:Expires>{(now - timedelta(hours=1)).isoformat()}</u:Expires></u:Timestamp>"
    async with serving(tmp_path, journal, takes, USERS, **ACCEPTED) as url:
        assert (await post(url, envelope(ORDER, header=good)))[0] == 200
        refused = {
            "repeated": good,
            "old": token(now - timedelta(minutes=6)),
            "of the future": token(now + timedelta(minutes=6)),
            "as text": token(kind=PASSWORD_TEXT),
            "of no kind": token(kind="urn:x"),
            "expired": token(more=expired),
            "twice": token() + token(),
            "two in one": token(more="<w:UsernameToken/>"),
            "without a time": token().replace("u:Created", "u:Made"),
            "without a nonce": token().replace("w:Nonce", "w:Once"),
            "a time without a zone": token().replace("Z</u:Created>", "</u:Created>"),
            "nothing": "",
        }
        for why, header in refused.items():
            status, body = await post(url, envelope(ORDER, header=header))
            assert (status, fault_of(body)[0]) == (500, "wsse:FailedAuthentication"), why
        assert len(takes.arrivals) == 1
    async with serving(tmp_path, journal, takes, USERS, **ACCEPTED) as url:
        status, body = await post(url, envelope(ORDER, header=good))
        assert (status, len(takes.arrivals)) == (500, 1), "also after a restart"


async def test_a_token_whose_call_was_not_taken_may_come_again(tmp_path: Path, journal: Journal) -> None:
    takes, again = Takes(), token()
    async with serving(tmp_path, journal, takes, USERS, **ACCEPTED) as url:
        takes.error = TransientError("the broker is away", "unreachable")
        status, body = await post(url, envelope(ORDER, header=again))
        assert (status, *fault_of(body)) == (500, "soap:Server", "nothing was taken; send it again")
        takes.error = None
        assert (await post(url, envelope(ORDER, header=again)))[0] == 200


async def test_what_cant_be_read_is_a_fault_with_its_problem(tmp_path: Path, journal: Journal) -> None:
    async def take(arrival: Arrival) -> Taken:
        return Taken(0, 1, "no such unit")

    async with serving(tmp_path, journal, take) as url:
        for port, code in (("Port11", "soap:Client"), ("Port12", "soap:Sender")):
            with pytest.raises(Fault) as fault:
                await called(lambda port=port: client(url, port).CreateOrder(number="1", line=LINES))
            assert (fault.value.message, fault.value.code) == ("no such unit", code)
            told = {etree.QName(one).localname: one.text for one in fault.value.detail.iter() if one.text}
            assert told["type"] == "urn:hub:unreadable"
            assert len(told["id"]) == 32


class Delivers:
    """An intake, and a destination `erp` that has made this of what was taken."""

    def __init__(self, journal: Journal, status: str, reply: bytes = b"", text: str = "") -> None:
        self._journal = journal
        self._made = (status, reply, text)

    async def __call__(self, arrival: Arrival) -> Taken:
        (_, id), now = arrival.keys[0], time.time()
        status, reply, text = self._made
        taken = Entry()
        taken.message(id, arrival.source, "", id, "", now, document="order@1", partner=arrival.partner)
        taken.key(id, "arrival", id)
        taken.event(id, now, "matched", detail={"routes": {"orders": ["erp", "copy"]}})
        taken.prepare(id, "erp", "orders", id, now, self._journal.process)
        await self._journal.commit(taken)
        settled, kept = Entry(), await self._journal.keep(reply)
        settled.claim(kept.digest, kept.size, kept.row, now)
        settled.settle(taken.effects[id, "erp"], status, 1, now, text=text, reply=kept.digest if reply else None)
        await self._journal.commit(settled)
        return Taken(1)


TICKET = f'<CreateOrderResponse xmlns="{ORDERS}"><ticket>T-9</ticket></CreateOrderResponse>'
SYNC = {"operations": ["CreateOrder"], "reply": "sync", "within": "300ms"}


@pytest.mark.parametrize("port", ["Port11", "Port12"])
@pytest.mark.parametrize(
    "reply", [TICKET.encode(), envelope(TICKET), envelope(TICKET, "1.2")], ids=["bare", "1.1", "1.2"]
)
async def test_the_answer_of_a_destination(tmp_path: Path, journal: Journal, port: str, reply: bytes) -> None:
    async with serving(tmp_path, journal, Delivers(journal, "delivered", reply), **SYNC) as url:
        assert await called(lambda: client(url, port).CreateOrder(number="1", line=LINES)) == "T-9"


@pytest.mark.parametrize(
    ("status", "reply", "code", "text"),
    [
        ("held", b"", "soap:Client", "it waits for a person to decide"),
        ("dead", b"", "soap:Client", "no such customer"),
        ("retrying", b"", "soap:Server", "it was taken, and has no answer yet; send the same again to get it"),
        ("prepared", b"", "soap:Server", "it was taken, and has no answer yet; send the same again to get it"),
        ("delivered", b"", "soap:Server", "it was delivered, and the answer is not what the contract says"),
        ("delivered", b'{"id": 1}', "soap:Server", "it was delivered, and the answer is not what the contract says"),
        (
            "delivered",
            TICKET.replace("ticket", "evil").encode(),
            "soap:Server",
            "it was delivered, and the answer is not what the contract says",
        ),
    ],
)
async def test_no_answer_of_a_destination(
    tmp_path: Path, journal: Journal, status: str, reply: bytes, code: str, text: str
) -> None:
    take = Delivers(journal, status, reply, "no such customer")
    async with serving(tmp_path, journal, take, **SYNC) as url:
        assert fault_of((await post(url, envelope(ORDER)))[1]) == (code, text)
    if status in ("retrying", "prepared"):
        async with serving(tmp_path, journal, take, **SYNC, acceptance="accepted.xml") as url:
            assert b"<ticket>" in (await post(url, envelope(ORDER)))[1]


async def test_an_operation_whose_answer_doesnt_fit_the_reply_is_refused(tmp_path: Path, journal: Journal) -> None:
    for options in ({"operations": ["CreateOrder"]}, {"operations": ["Notify"], "reply": "sync"}, {}):
        with pytest.raises(ConfigError, match="doesn't fit"):
            async with serving(tmp_path, journal, Takes(), **{"within": "1s", **options}):
                pass


async def test_bodies_that_the_contract_doesnt_have(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    wrong = {
        "no operation": "<else/>",
        "of another namespace": ORDER.replace(ORDERS, "urn:else"),
        "an operation that isn't served": f'<Notify xmlns="{ORDERS}"><text>x</text></Notify>',
        "a missing element": ORDER.replace("<number>1</number>", ""),
        "a wrong type": ORDER.replace(">1</quantity>", ">none</quantity>"),
        "a stranger": ORDER.replace("<number>", '<evil xmlns="">x</evil><number>'),
        "two bodies": ORDER + ORDER,
        "none": "",
        "text": "hello",
    }
    async with serving(tmp_path, journal, takes) as url:
        for why, payload in wrong.items():
            status, body = await post(url, envelope(payload))
            assert (status, fault_of(body)[0]) == (500, "soap:Client"), why
            status, body = await post(url, envelope(payload, "1.2"), "application/soap+xml")
            assert (status, fault_of(body)[0]) == (400, "soap:Sender"), why
        status, body = await post(url, envelope(ORDER), SOAPAction='"urn:notify"')
        assert "is not that of CreateOrder" in fault_of(body)[1]
        assert (await post(url, envelope(ORDER), SOAPAction='"urn:create"'))[0] == 200
        status, body = await post(
            url, envelope(ORDER, "1.2"), 'application/soap+xml; charset=utf-8; action="urn:notify"'
        )
        assert status == 400
        assert (await post(url, envelope(ORDER), "application/json"))[0] == 415
        assert fault_of((await post(url, envelope(ORDER, "1.2")))[1])[0] == "soap:VersionMismatch"
    assert len(takes.arrivals) == 1


async def test_headers_that_must_be_understood(tmp_path: Path, journal: Journal) -> None:
    header = '<x:Wanted xmlns:x="urn:x" {}/>'
    async with serving(tmp_path, journal, Takes()) as url:
        for attribute, code in (
            ('s:mustUnderstand="1"', "soap:MustUnderstand"),
            ('s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"', "soap:MustUnderstand"),
        ):
            _, body = await post(url, envelope(ORDER, header=header.format(attribute)))
            assert fault_of(body)[0] == code
        for attribute in ('s:mustUnderstand="0"', "", 's:mustUnderstand="1" s:actor="urn:somebody"'):
            assert (await post(url, envelope(ORDER, header=header.format(attribute))))[0] == 200


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


async def test_the_contract_is_served_with_our_address_and_what_it_imports(tmp_path: Path, journal: Journal) -> None:
    async with serving(tmp_path, journal, Takes()) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}?WSDL") as reply:
            text = await reply.text()
            assert text.count(f'location="{url}"') == 2
            assert f"{url}?xsd=types.xsd" in text
        async with session.get(f"{url}?xsd=types.xsd") as reply:
            assert await reply.text() == TYPES
        for query in ("", "?xsd=../orders.wsdl", "?xsd=orders.wsdl", "?xsd="):
            async with session.get(url + query) as reply:
                assert reply.status == 404


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('schemaLocation="types.xsd"', 'schemaLocation="http://evil.example/types.xsd"', "put it beside the WSDL"),
        ('schemaLocation="types.xsd"', 'schemaLocation="../../../etc/passwd"', "put it beside the WSDL"),
        ('schemaLocation="types.xsd"', 'schemaLocation="none.xsd"', "can't be read"),
        ('use="literal"', 'use="encoded"', "is not document/literal"),
        ('style="document"', 'style="rpc"', "is not document/literal"),
        ('type="t:Line"', 'type="t:None"', "its schemas can't be used"),
        ("http://schemas.xmlsoap.org/wsdl/soap", "urn:x", "has no binding to SOAP"),
        ("<?xml version", "<!DOCTYPE x><?xml version", "can't be read"),
        ("<types>", '<import namespace="urn:y" location="y.wsdl"/><types>', "imports another WSDL"),
    ],
)
async def test_contracts_that_cant_be_kept(tmp_path: Path, journal: Journal, old: str, new: str, said: str) -> None:
    write_contract(tmp_path)
    (tmp_path / "routes/schemas/orders.wsdl").write_text(WSDL.replace(old, new))
    told = {"endpoint": "web", "path": "/s", "wsdl": "orders.wsdl", "security": "none", "operations": ["Notify"]}
    options = SoapSourceOptions.model_validate_json(json.dumps(told))
    async with listening_endpoint(tmp_path, journal) as listener:
        with pytest.raises(ConfigError, match=said):
            SoapSource("called", options, listener, context_of(tmp_path, journal, listener))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reply": "accepted"}, "needs an `acceptance`"),
        ({"acceptance": "accepted.xml"}, "of no use"),
        ({"path": "soap"}, "no path of its own"),
        ({"security": {"users": {"ACME": {"password": "short"}}}}, "at least 8"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], said: str) -> None:
    told = {"endpoint": "web", "path": "/s", "wsdl": "orders.wsdl", "security": "none", **options}
    with pytest.raises(ValidationError, match=said):
        SoapSourceOptions.model_validate_json(json.dumps(told))
