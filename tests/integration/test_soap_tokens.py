"""SOAP in: UsernameTokens of both kinds, and those that are old, repeated or odd."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from adapters.soap.serving.names import PASSWORD_DIGEST, PASSWORD_TEXT, WSSE, WSU
from hub.core.errors import TransientError
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from tests.support.soap_calls import ACCEPTED, LINES, ORDER, called, client, envelope, fault_of, post, serving
from tests.support.web import Takes

PASSWORD = "open sesame"

USERS = {"users": {"ACME": {"user": "acme-erp", "password": PASSWORD}}}


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
    async with serving(tmp_path, journal, takes, {**USERS, "window": "1h"}, name="another", **ACCEPTED) as url:
        status, body = await post(url, envelope(ORDER, header=good))
        assert (status, len(takes.arrivals)) == (500, 1), "also at another source"


async def test_a_token_whose_call_was_not_taken_may_come_again(tmp_path: Path, journal: Journal) -> None:
    takes, again = Takes(), token()
    async with serving(tmp_path, journal, takes, USERS, **ACCEPTED) as url:
        takes.error = TransientError("the broker is away", "unreachable")
        status, body = await post(url, envelope(ORDER, header=again))
        assert (status, *fault_of(body)) == (500, "soap:Server", "nothing was taken; send it again")
        takes.error = None
        assert (await post(url, envelope(ORDER, header=again)))[0] == 200


@pytest.mark.parametrize(
    ("trusted", "told", "said"),
    [
        (False, "no such unit", "no such unit"),
        (False, "", "it was refused; whoever runs the hub finds the reason by its id"),
        (True, "", "step prices: HTTP 400: erp-db-7.internal refused"),
    ],
)
async def test_a_partner_is_told_what_is_wrong_with_its_call_and_nothing_of_our_systems(
    tmp_path: Path, journal: Journal, trusted: bool, told: str, said: str
) -> None:
    async def take(arrival: Arrival) -> Taken:
        return Taken(0, 1, told or "step prices: HTTP 400: erp-db-7.internal refused", told)

    async with serving(tmp_path, journal, take, {**USERS, "trusted": trusted}, **ACCEPTED) as url:
        assert fault_of((await post(url, envelope(ORDER, header=token())))[1])[1] == said
