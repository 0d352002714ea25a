"""Calling SOAP servers: a real one of another library, and a scripted one for what no honest server sends."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pydantic import ValidationError

from adapters.soap.calls.security import CallSecurityOptions
from adapters.soap.destination import SoapDestination, SoapDestinationOptions
from adapters.soap.endpoint import SoapEndpointOptions
from adapters.soap.outward import build_destination, build_endpoint
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import ConfigError, RejectedError, TransientError
from hub.core.ports import Arrival, BytesBody, Outgoing, Receipt
from hub.core.replies.replies import ReplyRule
from hub.journal.timeline import Timeline
from tests.support.brokers import LIMIT
from tests.support.erp import Answer, Erp
from tests.support.ports import free_ports
from tests.support.site import SiteOnDisk, order
from tests.support.spyne_erp import Call, Fault, SpyneErp

SECRET = "s3cr3t-of-the-hub"
XML = b'<create_order xmlns="urn:example:erp"><number>7</number><amount>9.50</amount></create_order>'
ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


@pytest.fixture(params=["1.1", "1.2"])
def soap(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SpyneErp]:
    with SpyneErp(request.param).serving() as server:
        server.contract(tmp_path)
        yield server


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Erp]:
    """Answers with any bytes; the contract is that of the real server."""
    with SpyneErp().serving() as server:
        server.contract(tmp_path)
    with Erp().serving() as erp:
        yield erp


@asynccontextmanager
async def calling(site: Path, address: str, *replies: ReplyRule, **options: Any) -> AsyncIterator[Callable[..., Any]]:
    made = {"wsdl": "erp.wsdl", "address": address, "timeout": "20s", **options}
    endpoint = build_endpoint("erp", SoapEndpointOptions.model_validate(made), Context(site=site, clock=SystemClock()))
    wanted = SoapDestinationOptions(endpoint="erp", operation="create_order")
    context = Context(site=site, endpoint=lambda name: endpoint, replies=replies, clock=SystemClock())
    destination: SoapDestination = build_destination("erp", wanted, context)

    async def send(body: bytes = XML, content_type: str = "application/xml") -> Receipt:
        return await destination.send(Outgoing("id", "order@1", "key-1", body, content_type, correlation_id="c-1"))

    try:
        yield send
    finally:
        await endpoint.close()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(XML, "application/xml"), (b'{"number": "7", "amount": 9.50}', "application/json")],
    ids=["xml", "json"],
)
async def test_an_operation_is_called_and_its_answer_kept(
    soap: SpyneErp, tmp_path: Path, body: bytes, content_type: str
) -> None:
    async with calling(tmp_path, soap.url) as send:
        receipt = await send(body, content_type)
    (call,) = soap.calls
    assert (call.number, str(call.amount), call.key) == ("7", "9.50", "key-1")
    assert call.headers["HTTP_X_CORRELATION_ID"] == "c-1"
    root = etree.fromstring(receipt.reply)
    assert etree.QName(root).localname == "create_orderResponse"
    assert "".join(root.itertext()) == "E-7"
    assert (receipt.status, receipt.content_type) == (200, "application/xml")


@pytest.mark.parametrize(
    "body",
    [b'{"numbr": "7"}', b"[1]", b"\xff"],
    ids=["unknown", "no object", "no JSON"],
)
async def test_arguments_that_the_contract_does_not_know_never_leave(
    soap: SpyneErp, tmp_path: Path, body: bytes
) -> None:
    async with calling(tmp_path, soap.url) as send:
        with pytest.raises(RejectedError) as refused:
            await send(body, "application/json")
    assert refused.value.code == "bad_arguments"
    assert not soap.calls


@pytest.mark.parametrize(
    "body",
    [b"<other/>", b"<create_order/>", b"no", b'<!DOCTYPE x [<!ENTITY a "b">]><create_order xmlns="urn:example:erp"/>'],
)
async def test_another_element_than_the_operation_takes_never_leaves(
    soap: SpyneErp, tmp_path: Path, body: bytes
) -> None:
    async with calling(tmp_path, soap.url) as send:
        with pytest.raises(RejectedError) as refused:
            await send(body)
    assert refused.value.code == "bad_arguments"
    assert not soap.calls


async def test_a_fault_that_blames_the_message_is_a_refusal(soap: SpyneErp, tmp_path: Path) -> None:
    def script(call: Call) -> str:
        raise Fault("Client.CreditHold", "no credit")

    soap.script = script
    async with calling(tmp_path, soap.url) as send:
        with pytest.raises(RejectedError, match="CreditHold: no credit") as refused:
            await send()
    assert refused.value.code.endswith("CreditHold")


async def test_a_fault_of_the_server_is_tried_again(soap: SpyneErp, tmp_path: Path) -> None:
    def script(call: Call) -> str:
        raise Fault("Server", "database locked")

    soap.script = script
    async with calling(tmp_path, soap.url) as send:
        with pytest.raises(TransientError, match="database locked") as later:
            await send()
    assert later.value.kind == "failed"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ReplyRule(fault="Client.CreditHold", hold="credit_hold"), "credit_hold"),
        (ReplyRule(body={"//detail/reason/code": "C7"}, hold="credit_hold"), "credit_hold"),
        (ReplyRule(fault="Client", retry="busy"), "busy"),
        (ReplyRule(fault="Client", delivered=True), "delivered"),
        (ReplyRule(fault="Server", delivered=True), "Client.CreditHold"),
    ],
)
async def test_faults_are_mapped_like_replies(tmp_path: Path, rule: ReplyRule, expected: str) -> None:
    with SpyneErp().serving() as soap:
        soap.contract(tmp_path)

        def script(call: Call) -> str:
            raise Fault("Client.CreditHold", "no", detail={"reason": {"code": "C7"}})

        soap.script = script
        async with calling(tmp_path, soap.url, rule) as send:
            try:
                await send()
                outcome = "delivered"
            except RejectedError as error:
                outcome = error.hold or error.code
            except TransientError as error:
                outcome = error.kind
    assert outcome == expected


WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"


@pytest.mark.parametrize("digest", [False, True], ids=["text", "digest"])
async def test_a_user_name_token_and_a_timestamp(soap: SpyneErp, tmp_path: Path, digest: bool) -> None:
    security = {"user": "hub", "password": SECRET, "digest": digest, "timestamp": "5m"}
    async with calling(tmp_path, soap.url, security=security) as send:
        await send()
        await send()
    first, second = (etree.fromstring(call.envelope) for call in soap.calls)
    token = first.find(f".//{WSSE}UsernameToken")
    assert token.findtext(f"{WSSE}Username") == "hub"
    password = token.findtext(f"{WSSE}Password")
    if digest:
        nonce = base64.b64decode(token.findtext(f"{WSSE}Nonce"))
        created = token.findtext(f"{WSU}Created")
        wanted = hashlib.sha1(nonce + created.encode() + SECRET.encode()).digest()
        assert base64.b64decode(password) == wanted
        assert second.findtext(f".//{WSSE}Nonce") != token.findtext(f"{WSSE}Nonce")
    else:
        assert password == SECRET
    begin, end = (datetime.fromisoformat(first.findtext(f".//{WSU}{name}")) for name in ("Created", "Expires"))
    stamp = first.find(f".//{WSU}Timestamp")
    begin, end = (datetime.fromisoformat(stamp.findtext(f"{WSU}{name}")) for name in ("Created", "Expires"))
    assert (end - begin).total_seconds() == 300


async def test_a_password_that_a_fault_repeats_is_not_shown(scripted: Erp, tmp_path: Path) -> None:
    fault = f"<e:Fault><faultcode>e:Client</faultcode><faultstring>bad {SECRET}</faultstring></e:Fault>"
    scripted.script = lambda request: Answer(500, ENVELOPE.format(fault).encode(), {"Content-Type": "text/xml"})
    async with calling(tmp_path, scripted.url, security={"user": "hub", "password": SECRET}) as send:
        with pytest.raises(RejectedError, match="bad") as refused:
            await send()
    assert SECRET not in str(refused.value)
    reply = refused.value.reply
    assert reply is not None
    assert (reply.status, b"bad ***" in reply.body, SECRET.encode() in reply.body) == (500, True, False)


BOMB = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XXE = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>fine</html>",
        b'{"id": 1}',
        ENVELOPE.format("<x>")[:-20].encode(),
        (XXE + ENVELOPE.format("<x>&a;</x>")).encode(),
        (BOMB + ENVELOPE.format("<x>&b;</x>")).encode(),
        ENVELOPE.format("<a>" * 5000 + "</a>" * 5000).encode(),
        ENVELOPE.format(f'<x a="{"a" * 11_000_000}"/>').encode(),
        ENVELOPE.format("<x>" + "a" * 3_000_000 + "</x>").encode(),
        b"\xff\xfe\x00\x00",
    ],
    ids=["empty", "text", "html", "json", "cut", "xxe", "bomb", "deep", "attribute", "huge", "bytes"],
)
async def test_garbage_in_place_of_an_answer_is_tried_again(scripted: Erp, tmp_path: Path, body: bytes) -> None:
    scripted.script = lambda request: Answer(200, body, {"Content-Type": "text/xml"})
    async with calling(tmp_path, scripted.url, largest_reply=2_000_000) as send:
        with pytest.raises(TransientError) as caught:
            await send()
    assert caught.value.kind == "failed"
    assert "root:" not in caught.value.text


@pytest.mark.parametrize(("status", "kind"), [(503, "busy"), (502, "failed"), (504, "timeout")])
async def test_an_error_page_counts_by_its_status(scripted: Erp, tmp_path: Path, status: int, kind: str) -> None:
    scripted.script = lambda request: Answer(status, b"<html>down</html>", {"Retry-After": "9"})
    async with calling(tmp_path, scripted.url) as send:
        with pytest.raises(TransientError) as caught:
            await send()
    assert (caught.value.kind, caught.value.retry_after) == (kind, 9)
    reply = caught.value.reply
    assert reply is not None
    assert (reply.status, reply.headers["retry-after"], reply.body) == (status, "9", b"<html>down</html>")


async def test_no_answer_in_time(scripted: Erp, tmp_path: Path) -> None:
    scripted.script = lambda request: Answer(hang=20.0)
    async with calling(tmp_path, scripted.url, timeout="200ms") as send:
        with pytest.raises(TransientError, match="no reply within 200ms") as caught:
            await send()
    assert caught.value.kind == "timeout"


async def test_nobody_there(scripted: Erp, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with calling(tmp_path, f"http://127.0.0.1:{port}") as send:
        with pytest.raises(TransientError) as caught:
            await send()
    assert caught.value.kind == "unreachable"


async def test_a_redirect_is_not_followed(scripted: Erp, tmp_path: Path) -> None:
    scripted.script = lambda request: Answer(307, b"", {"Location": scripted.url + "/elsewhere"})
    async with calling(tmp_path, scripted.url) as send:
        with pytest.raises(RejectedError):
            await send()
    assert len(scripted.requests) == 1


ROOT = ENVELOPE.format(
    '<r xmlns:x="http://www.w3.org/2004/08/xop/include"><id>E-9</id><label><x:Include'
    ' href="cid:label%40erp"/></label></r>'
)


def multipart(attachment: str = "label@erp", end: bytes = b"\r\n--edge--\r\n") -> bytes:
    root = (
        b'--edge\r\nContent-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root@erp>\r\n\r\n'
        + ROOT.encode()
    )
    pdf = b"\r\n--edge\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n"
    return root + pdf + f"Content-ID: <{attachment}>\r\n\r\n".encode() + b"%PDF\r\n\x00\xff\n--x\r" + end


MTOM = {"Content-Type": 'multipart/related; type="application/xop+xml"; start="<root@erp>"; boundary="edge"'}


async def test_attachments_of_an_answer_are_put_where_it_refers_to_them(scripted: Erp, tmp_path: Path) -> None:
    scripted.script = lambda request: Answer(200, multipart(), MTOM)
    async with calling(tmp_path, scripted.url) as send:
        receipt = await send()
    root = etree.fromstring(receipt.reply)
    assert root.findtext("id") == "E-9"
    assert base64.b64decode(root.findtext("label")) == b"%PDF\r\n\x00\xff\n--x\r"


@pytest.mark.parametrize("body", [multipart("other@erp"), multipart(end=b""), b"--edge--", b"", b"--edge\r\nx"])
async def test_half_an_answer_with_attachments_is_tried_again(scripted: Erp, tmp_path: Path, body: bytes) -> None:
    scripted.script = lambda request: Answer(200, body, MTOM)
    async with calling(tmp_path, scripted.url) as send:
        with pytest.raises(TransientError) as caught:
            await send()
    assert caught.value.kind == "failed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("<wsdl:types>", '<wsdl:import namespace="urn:x" location="http://127.0.0.1:9/x.wsdl"/><wsdl:types>'), "127"),
        (
            ("<wsdl:types>", '<wsdl:import namespace="urn:x" location="../../../../etc/passwd"/><wsdl:types>'),
            "in the site",
        ),
        (("<?xml", '<!DOCTYPE x [<!ENTITY a "b">]><?xml'), "erp.wsdl"),
        (("wsdl:service", "wsdl:nothing"), "no such port"),
    ],
)
def test_a_contract_that_is_not_whole_in_the_site_is_refused(
    scripted: Erp, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = tmp_path / "routes/schemas/erp.wsdl"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(ConfigError, match=words):
        build_endpoint(
            "erp",
            SoapEndpointOptions(wsdl="erp.wsdl", address="http://127.0.0.1:9"),
            Context(site=tmp_path, clock=SystemClock()),
        )


def test_an_operation_or_port_that_the_contract_does_not_have(scripted: Erp, tmp_path: Path) -> None:
    context = Context(site=tmp_path, clock=SystemClock())
    endpoint = build_endpoint("erp", SoapEndpointOptions(wsdl="erp.wsdl"), context)
    with pytest.raises(ConfigError, match="create_order"):
        endpoint.contract.operation("create_ordr")
    for wrong in ({"version": "1.2"}, {"port": "x"}, {"service": "x"}):
        with pytest.raises(ConfigError, match="no such port"):
            build_endpoint("erp", SoapEndpointOptions.model_validate({"wsdl": "erp.wsdl", **wrong}), context)


@pytest.mark.parametrize(
    "wrong",
    [{"user": "a"}, {"password": "b"}, {}, {"user": "a", "password": "b\n"}, {"timestamp": "soon"}],
)
def test_half_a_security_header_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CallSecurityOptions.model_validate(wrong)


DESTINATION = """\
erp-soap:
  soap: {endpoint: erp-soap, operation: create_order}
  write: {template: create-order.xml.j2}
  capture: {erp_order: //order_id}
  replies:
    - {fault: Client.CreditHold, hold: credit_hold}
"""
TEMPLATE = """\
<create_order xmlns="urn:example:erp"><number>{{ document.number }}</number><amount>19.00</amount></create_order>
"""


async def test_a_whole_hub_calls_holds_and_finds_again(site: SiteOnDisk) -> None:
    with SpyneErp().serving() as soap:
        soap.contract(site.folder)

        def script(call: Call) -> str:
            if call.number == "2":
                raise Fault("Client.CreditHold", "no credit")
            return f"E-{call.number}"

        soap.script = script
        site.write("config/endpoints.yaml", f'erp-soap: {{soap: {{wsdl: erp.wsdl, address: "{soap.url}"}}}}\n')
        site.write("config/destinations.yaml", DESTINATION)
        site.write("routes/templates/create-order.xml.j2", TEMPLATE)
        site.write("routes/acme.yaml", (site.folder / "routes/acme.yaml").read_text().replace("[erp]", "[erp-soap]"))
        async with site.running() as hub:
            for number in ("1", "2"):
                await hub.intake.take(Arrival("inbox", BytesBody(order(number))))
            async with asyncio.timeout(LIMIT):
                while not (found := await Timeline(hub.journal).trace("E-1")) or not found[0].effects:
                    await asyncio.sleep(0.02)
                while not (held := await Timeline(hub.journal).trace("2"))[0].holds:
                    await asyncio.sleep(0.02)
            assert found[0].number == "1"
            assert held[0].holds[0].name == "credit_hold"


async def test_waiting_for_a_connection_is_not_a_failure_of_the_far_end(scripted: Erp, tmp_path: Path) -> None:
    """With one connection the last of five waits longer than `timeout`, while each call is answered well within it."""
    body = ENVELOPE.format('<create_orderResponse xmlns="urn:example:erp"/>').encode()
    scripted.script = lambda request: Answer(200, body, {"Content-Type": "text/xml"}, hang=0.3)
    async with calling(tmp_path, scripted.url, timeout="1s", connections=1) as send:
        receipts = await asyncio.gather(*(send() for _ in range(5)))
    assert [receipt.status for receipt in receipts] == [200] * 5
