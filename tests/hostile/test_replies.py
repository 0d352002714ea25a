"""What far ends reply: looked into within bounds, and never at the expense of others."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import structlog

from adapters.rest.http_response import HttpResponse
from adapters.rest.list_options import RestSourceOptions
from adapters.rest.page import page_from, pieces_of
from hub.clock.system_clock import SystemClock
from hub.core.errors import DecodeError, RejectedError
from hub.core.options.containment import Containment
from hub.core.replies import reply_xml
from hub.core.replies.captures import captured
from hub.core.replies.replies import ReplyRule, classify
from hub.core.replies.reply_body import LARGEST, ReplyBody, is_cheap, look_into
from hub.runtime.contained.apart import ContainedApart
from hub.runtime.contained.looking import ContainedLooking
from hub.runtime.contained.pool import WorkerPool
from tests.support.growth import growth

CUBIC = "//a[count(//a[count(//a) = 0]) = 0]"
MANY = b"<r>" + b"<a/>" * 8000 + b"</r>"

GROWING: dict[str, tuple[str, Any]] = {
    "a list": ("/l/0", lambda n: b'{"l": [' + b"1," * n + b"1]}"),
    "objects": ("/l/0", lambda n: b'{"l": [' + b'{"a":1},' * n + b"1]}"),
    "numbers": ("/l/0", lambda n: b'{"l": [' + b"1.5e3," * n + b"1]}"),
    "keys": ("/a1", lambda n: b"{" + b"".join(b'"a%d":1,' % i for i in range(n)) + b'"z":1}'),
    "a text": ("/a", lambda n: b'{"a": "' + b"\\u0041" * n + b'"}'),
    "elements": ("/r/a", lambda n: b"<r>" + b"<a/>" * n + b"</r>"),
    "namespaces": ("/r/a", lambda n: b"<r>" + b'<x:a xmlns:x="u"/>' * n + b"</r>"),
    "text in XML": ("/r", lambda n: b"<r>" + b"<a>1</a>" * n + b"</r>"),
    "attributes": (
        "/r/a/@b0",
        lambda n: b"<r>" + (b"<a" + b"".join(b' b%d="1"' % i for i in range(50)) + b"/>") * (n // 50) + b"</r>",
    ),
}


@pytest.mark.parametrize("what", GROWING)
def test_a_look_costs_no_more_than_the_reply_is_long(what: str) -> None:
    path, body = GROWING[what]
    bodies = {n: body(n) for n in (4000, 32_000)}
    assert growth(lambda n: look_into(bodies[n], [path]), 4000, 32_000) < 20


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands twice in an object of it"),
        (b"<r>" + b"<a/>" * 5000, "more than 5000 elements"),
        (b"<a>" * 300, "nested more than 200 deep"),
        (b"<a" + b"".join(b' b%d=""' % n for n in range(1001)) + b"/>", "more than 1000 attributes"),
        (b" " * (LARGEST + 1), f"it has {LARGEST + 1} bytes; at most {LARGEST}"),
    ],
    ids=["keys", "elements", "depth", "attributes", "bytes"],
)
def test_a_reply_that_passes_a_bound_holds_nothing_and_its_outcome_says_why(
    body: bytes, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status decides, as for every reply that can't be read."""
    assert reply_xml.MOST_ELEMENTS == 500_000
    monkeypatch.setattr(reply_xml, "MOST_ELEMENTS", 5000)
    rules = (ReplyRule(body={"/a": 1}, hold="credit_hold"),)
    receipt = classify(200, {}, body, rules)
    assert receipt.text.startswith("delivered (200); the reply could not be looked into: ")
    assert wrong in receipt.text
    with pytest.raises(RejectedError, match=wrong.replace("(", r"\(")) as refused:
        classify(409, {}, body, rules)
    assert refused.value.hold is None
    assert captured({"order": "/a"}, receipt) == ((), ("order",))


@pytest.mark.parametrize(
    ("body", "path", "cheap"),
    [
        (b'{"a": 1}' + b" " * 60_000, "/a", True),
        (b'{"a": 1}' + b" " * 64_000, "/a", False),
        (MANY[:60_000], "/r/a", True),
        (MANY[:60_000], "//a", True),
        (MANY[:60_000], "//a[2]", False),
        (b"<r><a/><a/></r>", CUBIC, True),
        (MANY, CUBIC, False),
    ],
)
def test_what_is_cheap_is_known_before_it_is_parsed(body: bytes, path: str, cheap: bool) -> None:
    assert is_cheap(body, [path]) is cheap


def test_what_is_cheap_takes_milliseconds() -> None:
    paths = ["/r/a", "//a", "//a[2]", "count(//a)", CUBIC, "/r/*", "//*[.//a]", "string(//a)"]
    for count in (4, 20, 100, 500, 1000, 4000, 16_000):
        body = b"<r>" + b"<a/>" * count + b"</r>"
        for path in paths:
            if is_cheap(body, [path]):  # on the event loop: a CPU second is far beyond what it may take on any machine
                began = time.thread_time()
                look_into(body, [path])
                assert time.thread_time() - began < 1.0, (count, path)


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    made = WorkerPool(Containment(processor_time=0.4, quarantine_after=1), structlog.get_logger(), SystemClock())
    yield made
    await made.close()


async def test_a_large_reply_is_looked_into_by_a_worker_while_the_loop_goes_on(pool: WorkerPool) -> None:
    looking = ContainedLooking(pool)
    begin = (
        b'{"id": 7, "total": 12345678901234567.89, "big": ' + b"9" * 30 + b', "to": {"x": 1.5}, "no": null, "rest": ['
    )
    large = begin + b"[1]," * 800_000 + b'"end"]}'
    pauses: list[float] = []
    ticks = asyncio.create_task(tick(pauses))
    found = await looking.look("erp", large, ["/id", "/total", "/big", "/to", "/no", "/none", "/rest"])
    assert found.at("/id") == 7
    assert found.is_at("/total", Decimal("12345678901234567.89"))
    assert found.at("/big") == int("9" * 30)
    assert found.at("/to") == {"x": "1.5"}
    assert found.values.keys() == {"/id", "/total", "/big", "/to", "/no"}
    assert "what stands at /rest has" in found.wrong
    ended = await looking.look("erp", MANY, [CUBIC])
    assert ended.kind == ""
    assert "used more than 0.4" in ended.wrong
    assert "containment in config" in ended.wrong
    assert (await looking.look("erp", MANY, ["count(//a)"])) == ReplyBody("xml", {"count(//a)": "8000"})
    ticks.cancel()
    assert max(pauses) < 0.5


async def test_a_page_of_a_list_is_read_by_a_worker() -> None:
    """This process only sends and takes it. What passes the bounds of the worker is no page."""
    options = RestSourceOptions.model_validate(
        {
            "endpoint": "e",
            "call": "GET /o",
            "every": "1m",
            "items": "/",
            "id": "/id",
            "next": {"token": "/n", "parameter": "p"},
        }
    )
    body = b'[{"id": 1, "of": [' + b"[1]," * 200_000 + b"2]}]"
    limits = Containment(processor_time=0.4, per_megabyte=4, quarantine_after=1)
    pool = WorkerPool(limits, structlog.get_logger(), SystemClock())
    apart = ContainedApart(pool)
    before = time.process_time()
    try:
        pieces = await apart.do(
            "e", len(body), pieces_of, HttpResponse(200, {}, body), options, "http://e/o", "http://e/o"
        )
        assert page_from(pieces).items[0].name == "1"
        with pytest.raises(DecodeError, match=r"reading it used more than 0\.656 seconds"):
            await apart.do("e", 64_001, re.fullmatch, "(a|a)*b", "a" * 64)
        assert time.process_time() - before < 0.3
    finally:
        await pool.close()


async def tick(pauses: list[float]) -> None:
    """Notes for how long the loop lets nobody else go on, in processor time."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.01)
        pauses.append(time.thread_time() - before)
