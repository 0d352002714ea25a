"""What a REST destination makes of facts, and how it is let in: against real HTTP servers."""

from __future__ import annotations

import asyncio
import base64
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from adapters.rest import RestDestinationOptions, RestEndpointOptions, build_destination, build_endpoint
from adapters.rest.request import headers_of, path_of
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import ConfigError, RejectedError, TransientError
from hub.core.ports import Outgoing, Receipt
from tests.support.certificates import Authority
from tests.support.token_server import TokenServer

SECRET = "s3cr3t-of-the-hub"
FACTS = {
    "number": "PO/4711 ?y",
    "mail": "a@b+c=d",
    "state": "a&b=c#d e/é",
    "dots": "..",
    "dot": ".",
    "up": "10/../x",
    "windows": "..\\x",
    "surrogate": "\ud800",
    "long": "9" * 1001,
    "test": False,
    "evil": "http://evil/x",
}


class Sends:
    """A destination and its endpoint, for several sends."""

    def __init__(self, base: str, site: Path = Path(), call: str = "POST /orders", **options: Any) -> None:
        known = {key: options.pop(key) for key in ("query", "headers") if key in options}
        wanted = RestEndpointOptions.model_validate({"base": base, "timeout": "3s", **options})
        self.endpoint = build_endpoint("erp", wanted, Context(site=site, clock=SystemClock()))
        made = RestDestinationOptions.model_validate({"endpoint": "erp", "call": call, **known})
        self._destination = build_destination(
            "erp", made, Context(site=site, endpoint=lambda name: self.endpoint, clock=SystemClock())
        )

    async def __call__(self, times: int = 1) -> list[Receipt]:
        outgoing = Outgoing("id", "order@1", "key-1", b"{}", "application/json", facts=FACTS)
        try:
            return await asyncio.gather(*(self._destination.send(outgoing) for _ in range(times)))
        finally:
            await self.endpoint.close()


@pytest.mark.parametrize(
    ("template", "query", "made"),
    [
        ("/o/{number}", {}, "/o/PO%2F4711%20%3Fy"),
        ("/o", {"s": "{state}"}, "/o?s=a%26b%3Dc%23d%20e%2F%C3%A9"),
        ("/o?fix=1", {"t": "{test}", "é": "x y"}, "/o?fix=1&t=false&%C3%A9=x%20y"),
        ("/o/{evil}", {"u": "{evil}"}, "/o/http%3A%2F%2Fevil%2Fx?u=http%3A%2F%2Fevil%2Fx"),
        ("/o/{mail}?m={mail}", {}, "/o/a@b+c=d?m=a%40b%2Bc%3Dd"),
        ("/é/{dot}x", {"a": "{state}-{mail}"}, "/%C3%A9/.x?a=a%26b%3Dc%23d%20e%2F%C3%A9-a%40b%2Bc%3Dd"),
    ],
)
def test_facts_stand_in_path_and_query_and_nowhere_else(template: str, query: dict[str, str], made: str) -> None:
    assert path_of(template, query, FACTS) == made


@pytest.mark.parametrize(
    "template",
    [
        *("/o/..", "/o/./x", "/a/../b", "/o/{nothing}", "/" + "{evil}" * 2000, "/o/{dots}/x", "/o/{dot}", "/o/{up}"),
        *("/o/{windows}", "/o/.{dot}", "/o?n={surrogate}", "/o/{surrogate}", "/o?n={long}"),
    ],
)
def test_a_path_that_leads_elsewhere_or_lacks_a_fact_is_refused(template: str) -> None:
    with pytest.raises(RejectedError) as refused:
        path_of(template, {}, FACTS)
    assert refused.value.code == "no_path"


@pytest.mark.parametrize("template", ["/{a}{b}", "/{a}-{b}", "/o?n={a}.{b}"])
def test_two_documents_never_have_one_address(template: str) -> None:
    texts = ("A", "A-", "-", "-A", "x.", ".y", ".", "B-A", "A.A", "PO 1", "PO/1", "PO_1", "PO+1")
    made: dict[str, tuple[str, str]] = {}
    for a in texts:
        for b in texts:
            with suppress(RejectedError):
                assert made.setdefault(path_of(template, {}, {"a": a, "b": b}), (a, b)) == (a, b)
    assert ("A", "PO_1") in made.values() or template == "/{a}{b}"


def test_what_an_earlier_release_began_goes_on_to_the_same_path() -> None:
    options = RestDestinationOptions(endpoint="e", call="PUT /o/{number}", query={"n": "{number}"})
    endpoint = build_endpoint(
        "e", RestEndpointOptions(base="http://127.0.0.1"), Context(site=Path(), clock=SystemClock())
    )
    made = build_destination("erp", options, Context(site=Path(), endpoint=lambda name: endpoint, clock=SystemClock()))
    outgoing = Outgoing("id", "order@1", "key-1", b"{}", "application/json", facts=FACTS)
    assert made.fix_address(outgoing, earlier=True) == "/o/PO_4711_y?n=PO%2F4711%20%3Fy"
    assert made.fix_address(outgoing) == "/o/PO%2F4711%20%3Fy?n=PO%2F4711%20%3Fy"


async def test_nothing_of_a_path_is_changed_on_its_way() -> None:
    """yarl takes `%2E%2E` for a step up, unless it is told that the URL is encoded."""
    with TokenServer(good={"t"}).serving() as server:
        await Sends(server.url + "/a/b", call="PUT /%2E%2E/{number}", auth={"bearer": "t"})()
        assert [path for _, path, _ in server.requests] == ["/a/b/%2E%2E/PO%2F4711%20%3Fy"]


def test_a_fact_in_a_header_stays_on_its_line() -> None:
    made = headers_of({"X-State": "s={state}", "X-Fix": "1"}, {"state": "a\r\nX-Evil: 1\x00é"})
    assert made == {"X-State": "s=a__X-Evil: 1__", "X-Fix": "1"}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "POST"])
async def test_every_method(method: str) -> None:
    with TokenServer(good={"t"}).serving() as server:
        (receipt,) = await Sends(server.url, call=f"{method} /x", query={"a": "{number}"}, auth={"bearer": "t"})()
        assert receipt.status == 201
        ((asked, path, _),) = server.requests
        assert asked == method
        assert parse_qs(urlsplit(path).query) == {"a": ["PO/4711 ?y"]}


@pytest.mark.parametrize("name", ["Host", "content-length", "Authorization", "Transfer-Encoding", "Cookie", "a b"])
def test_headers_that_follow_from_the_request_cannot_be_set(name: str) -> None:
    with pytest.raises(ValidationError):
        RestDestinationOptions(endpoint="e", call="POST /x", headers={name: "1"})


async def test_an_api_key_in_a_header_of_its_own() -> None:
    with TokenServer(good={"Bearer"}).serving() as server:
        sends = Sends(server.url, auth={"header": {"name": "X-Api-Key", "secret": SECRET}})
        with pytest.raises(RejectedError) as refused:
            await sends()
        assert SECRET not in str(refused.value)
        assert sends.endpoint.options.auth is not None
        assert sends.endpoint.options.auth.headers() == {"X-Api-Key": SECRET}


def oauth2(server: TokenServer, **more: str) -> dict[str, Any]:
    known = {"token_url": server.url + "/token", "client_id": "hub", "client_secret": SECRET, "scope": "orders", **more}
    return {"oauth2": known}


async def test_a_token_is_asked_for_once_and_used_by_all() -> None:
    with TokenServer().serving() as server:
        await Sends(server.url, auth=oauth2(server, audience="erp"))(10)
        ((form, authorization),) = server.asked
        assert parse_qs(form) == {"grant_type": ["client_credentials"], "scope": ["orders"], "audience": ["erp"]}
        assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"hub:{SECRET}"
        assert {known for _, _, known in server.requests} == {"Bearer token-1"}


async def test_the_secret_may_go_in_the_form() -> None:
    with TokenServer().serving() as server:
        await Sends(server.url, auth=oauth2(server, send_secret="body"))()
        ((form, authorization),) = server.asked
        assert parse_qs(form)["client_secret"] == [SECRET]
        assert authorization == ""


async def test_a_token_is_renewed_before_it_expires() -> None:
    with TokenServer(lives=1).serving() as server:
        sends = Sends(server.url, auth=oauth2(server))
        tokens = sends.endpoint._tokens
        assert tokens is not None
        first = await tokens.current()
        assert await tokens.current() == first
        await asyncio.sleep(1.05)
        assert await tokens.current() != first
        await sends.endpoint.close()


async def test_a_token_that_is_not_taken_any_more_is_renewed_once_by_one() -> None:
    with TokenServer().serving() as server:
        sends = Sends(server.url, auth=oauth2(server))
        tokens = sends.endpoint._tokens
        assert tokens is not None
        await tokens.current()
        server.good = set()
        receipts = await sends(5)
        assert [receipt.status for receipt in receipts] == [201] * 5
        assert server.given == 2


async def test_a_request_that_is_refused_with_a_fresh_token_is_refused() -> None:
    with TokenServer().serving() as server:
        sends = Sends(server.url, auth=oauth2(server))
        server.token = lambda form, authorization: (200, b'{"access_token": "never-good"}')  # type: ignore[method-assign]
        with pytest.raises(RejectedError) as refused:
            await sends()
        assert refused.value.status == 401
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        (401, b'{"error": "invalid_client", "error_description": "s3cr3t-of-the-hub"}'),
        (200, b"{}"),
        (200, b'{"access_token": "a\\r\\nX-Evil: 1"}'),
        (200, b'{"access_token": 7}'),
        (200, b"<html>"),
        (200, b"[" * 100_000),
        (503, b""),
        (302, b""),
    ],
)
async def test_no_token_is_no_fault_of_the_document(answer: tuple[int, bytes]) -> None:
    with TokenServer(answer=answer).serving() as server:
        with pytest.raises(TransientError, match="no token was given") as caught:
            await Sends(server.url, auth=oauth2(server))()
        assert caught.value.kind == "failed"
        assert SECRET not in str(caught.value)
        assert not server.requests


async def test_a_client_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.client("hub-of-ours")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    tls.load_cert_chain(*authority.server())
    tls.verify_mode = ssl.CERT_REQUIRED
    with TokenServer().serving(tls) as server:
        ours = {"ca": authority.file.name, "certificate": certificate.name, "key": key.name}
        await Sends(server.url, tmp_path, tls=ours)()
        assert server.peers == ["hub-of-ours"]
        with pytest.raises(TransientError):
            await Sends(server.url, tmp_path, tls={"ca": authority.file.name})()
        with pytest.raises(TransientError, match=r"(?i)certificate.verify.failed"):
            await Sends(server.url, tmp_path)()


def test_files_of_tls_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="endpoint erp"):
        Sends("https://erp.example", tmp_path, tls={"ca": "nothing.pem"})
    with pytest.raises(ValidationError):
        Sends("https://erp.example", tmp_path, tls={"key": "a.key"})


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"bearer": "a", "header": {"name": "X", "secret": "y"}},
        {"header": {"name": "X Y", "secret": "y"}},
        {"oauth2": {"token_url": "ftp://x", "client_id": "a", "client_secret": "b"}},
        {"oauth2": {"token_url": "http://a:b@x", "client_id": "a", "client_secret": "b"}},
        {"oauth2": {"token_url": "http://x", "client_id": "a", "client_secret": "b\n"}},
    ],
)
def test_credentials_that_make_no_sense_are_refused(auth: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RestEndpointOptions.model_validate({"base": "http://erp.example", "auth": auth})
