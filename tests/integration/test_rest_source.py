"""Lists that are polled, against a real HTTP server: what is asked, taken and remembered, and what trouble does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.rest.list_options import RestSourceOptions
from tests.support.lists import Question, Reply
from tests.support.polls import ORDERS, SINCE, Polls, order, since


async def test_a_list_is_read_on_from_its_cursor_and_each_item_taken_once(polls: Polls) -> None:
    async with polls.running(**ORDERS):
        await polls.asked(5)
    assert polls.names == ["A-1", "A-2", "A-3", "A-4", "A-5"]
    assert polls.bodies()[0] == b'{"id": "A-1", "at": 1}'
    assert [q.query["since"] for q in polls.lists.asked[:5]] == ["0", "2", "4", "5", "5"]
    assert polls.arrivals[0].headers["content_type"] == "application/json"


async def test_a_second_start_goes_on_where_the_first_was(polls: Polls) -> None:
    async with polls.running(**ORDERS):
        await polls.until(lambda: len(polls.arrivals) == 5)
        await polls.asked(2)
    polls.lists.script = since(6)
    begun = len(polls.lists.asked)
    async with polls.running(**ORDERS):
        await polls.until(lambda: len(polls.arrivals) == 6)
    assert polls.lists.asked[begun].query["since"] == "5"
    assert polls.names[-1] == "A-6"


async def test_what_was_not_taken_is_asked_for_again_and_the_cursor_waits_for_it(polls: Polls) -> None:
    polls.refuse = 3
    async with polls.running(**ORDERS):
        await polls.until(lambda: polls.refuse == 0)
        await polls.until(lambda: len(polls.arrivals) == 5)
    assert polls.names == ["A-1", "A-2", "A-3", "A-4", "A-5"]
    assert [q.query["since"] for q in polls.lists.asked[:4]] == ["0"] * 4
    assert [line["error"] for line in polls.said("list_not_read")] == ["the broker is away"] * 3


async def test_a_changed_start_begins_anew_and_a_changed_call_does_not(polls: Polls) -> None:
    async with polls.running(**ORDERS):
        await polls.asked(5)
    begun = len(polls.lists.asked)
    async with polls.running("GET /orders?since={cursor}&limit=3", **ORDERS):
        await polls.asked(1)
    assert polls.lists.asked[begun].query["since"] == "5"
    begun = len(polls.lists.asked)
    async with polls.running(**ORDERS | {"cursor": {"item": "/at", "start": "3"}}):
        await polls.asked(1)
    assert polls.lists.asked[begun].query["since"] == "3"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({}, 401), "HTTP 401"),
        (Reply({}, 404), "HTTP 404"),
        (Reply({}, 500), "HTTP 500"),
        (Reply({}, 302, {"Location": "/else"}), "HTTP 302"),
        (Reply(b"<html>please log in</html>"), "there is no list at /orders"),
        (Reply({"orders": None}), "there is no list at /orders"),
        (Reply(b'{"orders": [{"id": 1}, {'), "breaks off"),
        (Reply({"orders": [{"id": 1}]}), "no text or number at /at"),
        (Reply({"orders": [{"at": {"x": 1}}]}), "no text or number at /at"),
        (Reply({"orders": [{"at": "x" * 3000}]}), "of 3000 characters"),
        (Reply(b'{"orders": [' + b"[" * 5000 + b"]" * 5000 + b"]}"), "nested too deeply"),
        (Reply({"orders": ["x" * 5000]}), "larger than the endpoint's largest_reply"),
        (Reply(b"\xff\xfe", 200, {"Content-Encoding": "gzip"}), "Can not decode content-encoding"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_list_is_said_and_moves_nothing(polls: Polls, reply: Reply, words: str) -> None:
    polls.lists.script = lambda question: reply
    async with polls.running(endpoint={"largest_reply": 12_000 if "nested" in words else 4096}, **ORDERS):
        await polls.until(lambda: len(polls.said("list_not_read")) >= 2)
        assert words in polls.said("list_not_read")[0]["error"]
        begun, polls.lists.script = len(polls.lists.asked), since(1)
        await polls.until(lambda: "A-1" in polls.names)
    assert polls.lists.asked[begun].query["since"] == "0"


async def test_a_list_that_comes_whole_each_time_offers_what_is_new_or_changed(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply([order(1), order(2)])
    async with polls.running("GET /o", items="/", id="/id"):
        await polls.asked(3)
        polls.lists.script = lambda question: Reply([order(1) | {"total": 9}, order(2), order(3)])
        await polls.asked(3)
    assert polls.names == ["A-1", "A-2", "A-1", "A-3"]


async def test_retry_after_is_waited_for(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply({}, 429, {"Retry-After": "3600000"})
    async with polls.running(**ORDERS):
        await polls.until(lambda: bool(polls.said("list_not_read")))
        await asyncio.sleep(0.2)
    assert len(polls.lists.asked) == 1
    assert polls.said("list_not_read")[0]["again_in"] == 3600.0


async def test_an_item_that_is_none_holds_no_other_up(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply(b'{"orders": [{"id": 1, "id": 2}, nonsense, "text", {"id": 7.10}]}')
    async with polls.running("GET /o", items="/orders", id="/id", every="1h"):
        await polls.until(lambda: len(polls.arrivals) == 4)
    assert polls.bodies() == [b'{"id": 1, "id": 2}', b"nonsense", b'"text"', b'{"id": 7.10}']
    assert polls.names == ["orders", "orders", "orders", "7.10"]


async def test_without_items_the_whole_reply_is_one_arrival_and_an_unchanged_one_is_not_sent_twice(
    polls: Polls,
) -> None:
    def script(question: Question) -> Reply:
        if question.headers.get("If-None-Match") == '"1"':
            return Reply(b"", 304)
        return Reply(b"<stock/>", 200, {"Content-Type": "application/xml", "ETag": '"1"'})

    polls.lists.script = script
    async with polls.running("GET /stock", partner="ACME", headers={"Accept": "application/xml"}):
        await polls.asked(4)
    (arrival,) = polls.arrivals
    assert (arrival.name, arrival.partner, arrival.facts) == ("orders", "ACME", {"partner": "ACME"})
    assert arrival.headers["content_type"] == "application/xml"
    assert polls.lists.asked[0].headers["Accept"] == "application/xml"
    assert polls.said("list_not_read") == []


async def test_an_etag_counts_once_its_list_has_been_taken(polls: Polls) -> None:
    def script(question: Question) -> Reply:
        if question.headers.get("If-None-Match") is not None:
            return Reply(b"", 304)
        return Reply([1], 200, {"ETag": '"1"'})

    polls.lists.script, polls.refuse = script, 1
    async with polls.running("GET /stock", items="/"):
        await polls.until(lambda: len(polls.arrivals) == 1)


async def test_nothing_is_no_arrival(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply(b"", 204)
    async with polls.running("GET /stock"):
        await polls.asked(3)
    assert polls.arrivals == []


async def test_by_the_clock_it_asks_at_its_time_and_makes_up_for_a_missed_one(polls: Polls) -> None:
    async with polls.running(every=None, cron="0 6 * * *", **ORDERS):
        await asyncio.sleep(0.2)
    assert polls.lists.asked == []
    await polls.memory.put("asked", "2026-01-01T00:00:00+00:00")
    async with polls.running(every=None, cron="0 6 * * *", **ORDERS):
        await polls.until(lambda: len(polls.arrivals) == 5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"call": "POST /orders"}, "call must be GET"),
        ({"call": "GET orders"}, "call must be GET"),
        ({"call": "GET /o?partner={partner}"}, "call knows no {partner}"),
        ({"call": "GET /o"}, "belong together"),
        ({"cursor": None}, "belong together"),
        ({"items": None}, "need `items`"),
        ({"items": "orders"}, "no path to a list"),
        ({"id": "id"}, "no path to a value"),
        ({"every": None}, "one of `every` and `cron`"),
        ({"cron": "0 6 * * *"}, "one of `every` and `cron`"),
        ({"every": "1ms"}, "50ms"),
        ({"cursor": {"start": "0"}}, "one of them"),
        ({"cursor": {"start": "0", "item": "/a", "reply": "/b"}}, "one of them"),
        ({"next": {"link": True, "url": "/next"}}, "one of `link: true`"),
        ({"next": {"token": "/next"}}, "belong together"),
        ({"headers": {"Authorization": "x"}}, "can't be set here"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RestSourceOptions.model_validate({"endpoint": "erp", "call": SINCE, "every": "1m", **ORDERS, **wrong})
    assert words in str(refused.value)
