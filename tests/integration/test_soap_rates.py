"""SOAP in: how much is taken, of each partner and of all together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from hub.journal.journal import Journal
from tests.support.soap_calls import ACCEPTED, LINES, ORDER, called, client, envelope, fault_of, post, serving
from tests.support.web import Takes

USERS = {"users": {"ACME": {"password": "open sesame"}, "BOLT": {"password": "open barley"}}}


async def test_a_partner_that_calls_too_often_waits_and_holds_no_other_up(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    limit = {"each": {"per_minute": 1}, "partners": {"BOLT": {"per_minute": 2}}}
    async with serving(tmp_path, journal, takes, USERS, **ACCEPTED, limit=limit) as url:

        async def call(user: str, password: str, number: str) -> None:
            token = UsernameToken(user, password, use_digest=True)
            await called(lambda: client(url, "Port12", token).CreateOrder(number=number, line=LINES))

        await call("ACME", "open sesame", "1")
        with pytest.raises(Fault, match=r"too many calls; come again in [0-9]+ seconds"):
            await call("ACME", "open sesame", "2")
        await call("BOLT", "open barley", "3")
        await call("BOLT", "open barley", "4")
    assert [arrival.partner for arrival in takes.arrivals] == ["ACME", "BOLT", "BOLT"]


async def refused(url: str) -> tuple[int, Mapping[str, str], bytes]:
    types = {"Content-Type": "text/xml"}
    async with aiohttp.ClientSession() as session, session.post(url, data=envelope(ORDER), headers=types) as reply:
        return reply.status, reply.headers, await reply.read()


async def test_too_many_of_all_together_and_too_much_at_once(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    async with serving(tmp_path, journal, takes, **ACCEPTED, limit={"per_minute": 1}) as url:
        assert (await post(url, envelope(ORDER)))[0] == 200
        status, headers, body = await refused(url)
        assert (status, fault_of(body)[0]) == (500, "soap:Server")
        assert 1 <= int(headers["Retry-After"]) <= 60
    async with serving(tmp_path, journal, takes, **ACCEPTED, limit={"each": {"largest": "100B"}}) as url:
        assert fault_of((await post(url, envelope(ORDER)))[1]) == (
            "soap:Client",
            "the message is larger than 100 bytes",
        )
    assert len(takes.arrivals) == 1
