"""The REST adapter against a real HTTP server: what each reply means, and what is never shown."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.rest import RestDestination, RestDestinationOptions, RestEndpoint, RestEndpointOptions
from adapters.rest.auth import Auth, BasicAuth
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Outgoing, Receipt
from tests.support.erp import Answer, Erp
from tests.support.ports import free_ports

SECRET = "s3cr3t-of-the-hub"


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as server:
        yield server


@asynccontextmanager
async def destination(base: str, call: str = "POST /orders", **options: Any) -> AsyncIterator[RestDestination]:
    endpoint = RestEndpoint(RestEndpointOptions(base=base, **{"timeout": "5s", **options}), SystemClock())
    context = Context(site=None, endpoint=lambda name: endpoint, clock=SystemClock())
    try:
        yield RestDestination("erp", RestDestinationOptions(endpoint="erp", call=call), context)
    finally:
        await endpoint.close()


async def send(base: str, call: str = "POST /orders", correlation_id: str | None = None, **options: Any) -> Receipt:
    outgoing = Outgoing(
        *("id", "order@1", "key-1", b'{"number": "1"}', "application/json"),
        correlation_id=correlation_id,
        facts={"number": "PO/4711?y"},
    )
    async with destination(base, call, **options) as made:
        return await made.send(outgoing)


async def test_key_type_and_body_are_sent(erp: Erp) -> None:
    receipt = await send(erp.url, correlation_id="c-1")
    (request,) = erp.requests
    assert receipt.status == 201
    assert receipt.reply == b'{"id": 1}'
    assert (request.path, request.key, request.body) == ("/orders", "key-1", b'{"number": "1"}')
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Correlation-ID"] == "c-1"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("base", "call", "path"),
    [
        ("", "POST /orders:submit", "/orders:submit"),
        ("/", "POST /orders", "/orders"),
        ("/api/v1", "POST /orders?mode=full", "/api/v1/orders?mode=full"),
        ("/api/v1/", "POST /o/{number}/lines", "/api/v1/o/PO%2F4711%3Fy/lines"),
        ("/api", "POST //elsewhere.example/x", "/api//elsewhere.example/x"),
    ],
)
async def test_the_path_is_put_behind_the_base(erp: Erp, base: str, call: str, path: str) -> None:
    await send(erp.url + base, call)
    assert erp.requests[0].path == path


@pytest.mark.parametrize(
    ("status", "kind"),
    [(408, "timeout"), (504, "timeout"), (423, "busy"), (429, "busy"), (503, "busy"), (500, "failed"), (502, "failed")],
)
async def test_a_reply_that_may_change_is_transient(erp: Erp, status: int, kind: str) -> None:
    erp.script = lambda request: Answer(status, b"later")
    with pytest.raises(TransientError, match=f"HTTP {status}: later") as caught:
        await send(erp.url)
    assert caught.value.kind == kind


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 422])
async def test_any_other_reply_is_a_refusal_and_no_redirect_is_followed(erp: Erp, status: int) -> None:
    erp.script = lambda request: Answer(status, b"no", {"Location": erp.url + "/elsewhere"})
    with pytest.raises(RejectedError) as caught:
        await send(erp.url)
    assert caught.value.status == status
    assert len(erp.requests) == 1


async def test_retry_after_counts_in_seconds_or_as_a_date(erp: Erp) -> None:
    erp.script = lambda request: Answer(503, b"", {"Retry-After": "17"})
    with pytest.raises(TransientError) as caught:
        await send(erp.url)
    assert caught.value.retry_after == 17
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    erp.script = lambda request: Answer(429, b"", {"Retry-After": date})
    with pytest.raises(TransientError) as caught:
        await send(erp.url)
    assert caught.value.retry_after == pytest.approx(3600, abs=120)


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
CUT_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "unreachable"),
        (CUT, "unreachable"),
        (CUT_CHUNK, "unreachable"),
        (b"\x00\xff\x00garbage\r\n\r\n", "failed"),
        (b"HTTP/1.1 banana OK\r\n\r\n", "failed"),
    ],
    ids=["closed", "cut", "cut chunk", "garbage", "bad status"],
)
async def test_half_a_reply_and_garbage_are_transient(erp: Erp, raw: bytes, kind: str) -> None:
    erp.script = lambda request: Answer(raw=raw)
    with pytest.raises(TransientError) as caught:
        await send(erp.url, "POST /orders?token=" + SECRET)
    assert caught.value.kind == kind
    assert caught.value.text.isprintable()
    assert erp.url + "/orders:" in caught.value.text
    assert SECRET not in caught.value.text


async def test_a_reply_that_cannot_be_unpacked_is_transient(erp: Erp) -> None:
    erp.script = lambda request: Answer(raw=GZIP)
    with pytest.raises(TransientError):
        await send(erp.url)


async def test_no_reply_in_time_is_a_timeout(erp: Erp) -> None:
    erp.script = lambda request: Answer(hang=30.0)
    with pytest.raises(TransientError, match="no reply within 200ms") as caught:
        await send(erp.url, timeout="200ms")
    assert caught.value.kind == "timeout"


async def test_a_refused_connection_is_unreachable() -> None:
    with pytest.raises(TransientError) as caught:
        await send(f"http://127.0.0.1:{free_ports(1)[0]}", "POST /orders?token=" + SECRET)
    assert caught.value.kind == "unreachable"
    assert SECRET not in str(caught.value)


async def test_a_huge_reply_is_cut(erp: Erp) -> None:
    erp.script = lambda request: Answer(200, b"x" * (3 << 20))
    receipt = await send(erp.url)
    assert len(receipt.reply) == 1 << 20
    assert receipt.text == "delivered (200), the reply is cut"
    erp.script = lambda request: Answer(400, b"x" * (3 << 20))
    with pytest.raises(RejectedError) as caught:
        await send(erp.url)
    assert len(str(caught.value)) < 1000


async def test_a_correlation_id_never_becomes_a_header_of_its_own(erp: Erp) -> None:
    await send(erp.url, correlation_id="a\r\nX-Evil: 1\r\n\r\nPOST /x\x00é" + "y" * 5000)
    (request,) = erp.requests
    assert "X-Evil" not in request.headers
    assert request.headers["X-Correlation-ID"].startswith("a_X-Evil_1_POST_x_y")
    assert len(request.headers["X-Correlation-ID"]) <= 200


BASIC = base64.b64encode(f"hub:{SECRET}".encode()).decode()
AUTHS = [
    (Auth(bearer=SECRET), f"Bearer {SECRET}"),
    (Auth(basic=BasicAuth(user="hub", password=SECRET)), f"Basic {BASIC}"),
]


@pytest.mark.parametrize(("auth", "header"), AUTHS, ids=["bearer", "basic"])
@pytest.mark.parametrize("status", [401, 500])
async def test_credentials_are_sent_and_never_shown(erp: Erp, auth: Auth, header: str, status: int) -> None:
    await send(erp.url, auth=auth)
    assert erp.requests[0].headers["Authorization"] == header
    erp.script = lambda request: Answer(status, f"you sent {request.headers['Authorization']} {SECRET}".encode())
    with pytest.raises((RejectedError, TransientError), match="you sent") as caught:
        await send(erp.url, auth=auth)
    assert SECRET not in str(caught.value)
    assert BASIC not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("http://hub:s3cr3t@erp.example", "credentials belong into auth:"),
        ("http://s3cr3t@erp.example/x", "credentials belong into auth:"),
        ("http://hub:s3cr3t/x@erp.example", "credentials belong into auth:"),
        ("http://erp.example/?token=s3cr3t", "query"),
        ("http://erp.example/#s3cr3t", "query"),
        ("ftp://erp.example", "http:// or https://"),
        ("http://", "http:// or https://"),
        ("http://erp.example:99999", "port"),
        ("http://erp.example:x", "port"),
        ("http://[::1", "http:// or https://"),
        ("http://erp.example/a b", "http:// or https://"),
    ],
)
def test_a_base_that_cannot_be_used_is_refused_without_showing_it(base: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RestEndpointOptions(base=base)
    (error,) = caught.value.errors(include_input=False)
    assert words in error["msg"]
    assert "s3cr3t" not in error["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {"call": "TRACE /x"},
        {"call": "POST x"},
        {"call": "POST /x\r\nHost: y"},
        {"call": "POST /x y"},
        {"key_header": "Bad Header"},
        {"key_header": "X\r\nY"},
        {"headers": {"X": "a\nb"}},
        {"headers": {"X: y": "a"}},
    ],
    ids=str,
)
def test_options_that_would_break_a_request_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RestDestinationOptions.model_validate({"endpoint": "erp", "call": "POST /x", **options})


def test_a_secret_with_a_line_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="control character"):
        Auth(bearer="token\n")


async def test_waiting_for_a_connection_is_not_a_failure_of_the_far_end(erp: Erp) -> None:
    """With one connection the last of five waits longer than `timeout`, while each request is answered well within
    it."""
    erp.script = lambda request: Answer(hang=0.3)
    outgoing = Outgoing("id", "order@1", "key-1", b"{}", "application/json", facts={"number": "1"})
    async with destination(erp.url, timeout="1s", connections=1) as made:
        receipts = await asyncio.gather(*(made.send(outgoing) for _ in range(5)))
    assert [receipt.status for receipt in receipts] == [201] * 5
