"""SOAP in: calls and their answers, with zeep as the client of other make."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from lxml import etree
from zeep.exceptions import Fault

from hub.core.effect import EffectStatus
from hub.core.ports import Arrival, Taken
from hub.core.stage import Stage
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.deliveries.effects import STATES
from hub.journal.journal import Journal
from tests.support.soap_calls import LINES, ORDER, called, client, envelope, fault_of, post, serving
from tests.support.soap_orders import ORDERS
from tests.support.web import Takes


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


class Ends:
    """An intake that takes a document, which has ended so."""

    def __init__(self, journal: Journal, stage: str) -> None:
        self._journal, self._stage = journal, stage
        self._detail = {"routes": {"orders": ["copy"]}} if stage == "matched" else None

    async def __call__(self, arrival: Arrival) -> Taken:
        (_, id), now, entry = arrival.keys[0], time.time(), Entry()
        entry.message(id, arrival.source, "", id, "", now, document="order@1", partner=arrival.partner)
        entry.key(id, "arrival", id)
        entry.event(id, now, Stage(self._stage), text="not total > 10000", detail=self._detail)
        await self._journal.commit(entry)
        return Taken(1)


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        ("filtered", "goes no further"),
        ("unmatched", "waits for a person"),
        ("matched", "goes where no answer comes from"),
    ],
)
async def test_what_has_ended_is_not_asked_for_again(tmp_path: Path, journal: Journal, stage: str, text: str) -> None:
    async with serving(tmp_path, journal, Ends(journal, stage), **SYNC) as url:
        code, said = fault_of((await post(url, envelope(ORDER)))[1])
        assert (code, text in said) == ("soap:Client", True)
        assert "total" not in said
    async with serving(tmp_path, journal, Ends(journal, stage), **SYNC, acceptance="accepted.xml") as url:
        assert b"<ticket>" in (await post(url, envelope(ORDER)))[1]


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
        taken.event(id, now, Stage.MATCHED, detail={"routes": {"orders": ["erp", "copy"]}})
        taken.prepare(effect_prepared(id, "erp", "orders", id, now, self._journal.process))
        committed = await self._journal.commit(taken)
        settled, kept = Entry(), await self._journal.keep(reply)
        settled.claim(kept, now)
        settled.settle(
            committed.of(STATES)[id, "erp"],
            EffectStatus(status),
            1,
            now,
            text=text,
            reply=kept.digest if reply else None,
        )
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
