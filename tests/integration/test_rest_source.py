"""Lists that are polled, against a real HTTP server: what is asked, taken and remembered, and what trouble does."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.rest.endpoint import RestEndpoint, RestEndpointOptions
from adapters.rest.list_options import RestSourceOptions
from adapters.rest.source import RestSource
from hub.app.logs import make_logger
from hub.core.errors import TransientError
from hub.core.plugin import Context
from hub.core.ports import Arrival, SoleSource, Taken
from hub.journal.journal import Journal
from hub.journal.memory import JournalMemory
from tests.support.brokers import eventually
from tests.support.lists import Lists, Question, Reply

SECRET = "s3cr3t-of-the-hub"
ORDERS: dict[str, Any] = {"items": "/orders", "id": "/id", "cursor": {"item": "/at", "start": "0"}}
SINCE = "GET /orders?since={cursor}&limit=2"


def order(number: int) -> dict[str, Any]:
    return {"id": f"A-{number}", "at": number}


def since(count: int, limit: int = 2) -> Callable[[Question], Reply]:
    """Orders 1 to `count`, those behind the cursor, `limit` of them."""

    def script(question: Question) -> Reply:
        begin = int(question.query["since"]) + 1
        return Reply({"orders": [order(number) for number in range(begin, min(begin + limit, count + 1))]})

    return script


class Polls:
    """A source in this process, with what it has offered and said. `refuse`: takes that fail at first."""

    def __init__(self, lists: Lists, journal: Journal, refuse: int = 0) -> None:
        self.lists = lists
        self.arrivals: list[Arrival] = []
        self.refuse = refuse
        self.memory = JournalMemory(journal, "orders")
        self._log = io.StringIO()

    @property
    def names(self) -> list[str]:
        return [arrival.name for arrival in self.arrivals]

    def bodies(self) -> list[bytes]:
        return [b"".join(arrival.body.chunks()) for arrival in self.arrivals]

    def said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    def has_said(self, times: int) -> bool:
        return len(self.said("list_not_read")) >= times

    async def take(self, arrival: Arrival) -> Taken:
        if self.refuse:
            self.refuse -= 1
            raise TransientError("the broker is away", "unreachable")
        self.arrivals.append(arrival)
        return Taken(1)

    @asynccontextmanager
    async def running(
        self, call: str = SINCE, endpoint: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[None]:
        to = RestEndpoint(RestEndpointOptions.model_validate({"base": self.lists.url, **(endpoint or {})}))
        wanted = RestSourceOptions.model_validate({"endpoint": "erp", "call": call, "every": "50ms", **options})
        context = Context(
            Path("/"), memory=lambda name: self.memory, log=make_logger("info", json=True, stream=self._log)
        )
        source = RestSource("orders", wanted, to, context)
        assert isinstance(source, SoleSource)
        task = asyncio.create_task(source.run(self.take))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            await to.close()
        assert task.cancelled(), "only a cancellation ends a source"

    async def until(self, reached: Callable[[], bool]) -> None:
        async def now() -> bool:
            return reached()

        await eventually(now)

    async def asked(self, more: int) -> None:
        """So many further questions."""
        wanted = len(self.lists.asked) + more
        await self.until(lambda: len(self.lists.asked) >= wanted)


@pytest.fixture
async def lists() -> AsyncIterator[Lists]:
    async with Lists(since(5)).serving() as serving:
        yield serving


@pytest.fixture
def polls(lists: Lists, journal: Journal) -> Polls:
    return Polls(lists, journal)


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


Named = Callable[[Question, int], tuple[dict[str, Any], dict[str, str]]]


def pages(count: int, named: Named) -> Callable[[Question], Reply]:
    """So many pages of one order each; `named` says how the next one is named: in the reply, in headers."""

    def script(question: Question) -> Reply:
        number = int(question.query.get("page", "1"))
        body, headers = named(question, number + 1) if number < count else ({}, {})
        return Reply({"as_of": "T2", "orders": [order(number)], **body}, 200, headers)

    return script


BY_LINK: tuple[dict[str, Any], Named] = (
    {"link": True},
    lambda question, page: ({}, {"Link": f'<{question.raw.partition("?")[0]}?page={page}>; rel="next"'}),
)
BY_URL: tuple[dict[str, Any], Named] = (
    {"url": "/links/next"},
    lambda question, page: ({"links": {"next": f"/orders?page={page}"}}, {}),
)
BY_TOKEN: tuple[dict[str, Any], Named] = (
    {"token": "/next", "parameter": "page"},
    lambda question, page: ({"next": page}, {}),
)


@pytest.mark.parametrize(("option", "named"), [BY_LINK, BY_URL, BY_TOKEN], ids=["link", "url", "token"])
async def test_the_cursor_of_a_list_of_pages_moves_with_its_last_page(polls: Polls, option: Any, named: Any) -> None:
    polls.lists.script = pages(3, named)
    cursor = {"reply": "/as_of", "start": "T1"}
    async with polls.running("GET /orders?since={cursor}", **ORDERS | {"cursor": cursor, "next": option}):
        await polls.asked(4)
    assert polls.names[:3] == ["A-1", "A-2", "A-3"]
    assert polls.lists.asked[3].query == {"since": "T2"}


async def test_a_stop_between_two_pages_goes_on_with_the_second(polls: Polls) -> None:
    polls.lists.script = pages(3, BY_TOKEN[1])
    options = ORDERS | {"cursor": {"reply": "/as_of", "start": "T1"}, "next": BY_TOKEN[0], "pages": 1, "every": "1h"}
    for run in (1, 2, 3):
        async with polls.running("GET /orders?since={cursor}", **options):
            await polls.until(lambda run=run: len(polls.arrivals) >= run)
            await polls.until(lambda run=run: len(polls.said("list_goes_on")) >= min(run, 2))
    assert polls.names == ["A-1", "A-2", "A-3"]
    assert [q.query for q in polls.lists.asked] == [
        {"since": "T1"},
        {"since": "T1", "page": "2"},
        {"since": "T1", "page": "3"},
    ]


async def test_a_page_that_is_gone_is_asked_for_from_the_cursor(polls: Polls) -> None:
    def script(question: Question) -> Reply:
        if question.query.get("page") == "2" and not polls.said("page_is_gone"):
            return Reply({"error": "the token has expired"}, 410)
        return pages(2, BY_TOKEN[1])(question)

    polls.lists.script = script
    async with polls.running("GET /orders", items="/orders", id="/id", next=BY_TOKEN[0]):
        await polls.until(lambda: "A-2" in polls.names)
    assert polls.names == ["A-1", "A-2"]
    assert [q.query for q in polls.lists.asked[:4]] == [{}, {"page": "2"}, {}, {"page": "2"}]
    assert "HTTP 410" in polls.said("list_not_read")[0]["error"]


def to_next(url: str) -> Callable[[Question], Reply]:
    return lambda question: Reply({"orders": [order(1)], "next": url})


async def test_a_next_page_elsewhere_is_never_asked_for(polls: Polls) -> None:
    async with Lists(since(1)).serving() as other:
        for url in (
            f"{other.url}/orders?since=0",
            "//127.0.0.1:9/orders",
            "http://user:x@127.0.0.1:9/",
            "file:///etc/passwd",
        ):
            polls.lists.script = to_next(url)
            said = len(polls.said("list_not_read")) + 1
            async with polls.running("GET /o", {"auth": {"bearer": SECRET}}, items="/orders", next={"url": "/next"}):
                await polls.until(partial(polls.has_said, said))
            assert " is not at " in polls.said("list_not_read")[-1]["error"]
        assert other.asked == []


async def test_links_that_lead_in_a_circle_are_said_and_asked_for_with_pauses(polls: Polls) -> None:
    polls.lists.script = to_next("/o")
    async with polls.running("GET /o", items="/orders", next={"url": "/next"}):
        await polls.until(lambda: len(polls.said("list_not_read")) >= 2)
    assert "would never end" in polls.said("list_not_read")[0]["error"]
    assert len(polls.lists.asked) <= 4


async def test_pages_without_an_end_are_bounded_by_round(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply({"orders": [], "next": int(question.query.get("page", "1")) + 1})
    options: dict[str, Any] = {
        "items": "/orders",
        "next": {"token": "/next", "parameter": "page"},
        "pages": 3,
        "every": "1h",
    }
    async with polls.running("GET /o", **options):
        await polls.until(lambda: bool(polls.said("list_goes_on")))
    assert len(polls.lists.asked) == 3


async def test_a_list_that_ignores_its_cursor_is_not_asked_in_a_loop(polls: Polls) -> None:
    polls.lists.script = lambda question: Reply({"orders": [order(1)], "as_of": len(polls.lists.asked)})
    cursor = {"reply": "/as_of", "start": "0"}
    async with polls.running(**ORDERS | {"cursor": cursor, "every": "1h"}):
        await polls.until(lambda: len(polls.lists.asked) == 2)
        await asyncio.sleep(0.2)
    assert len(polls.lists.asked) == 2


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
    assert polls.names == ["2", "orders", "orders", "7.10"]


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
