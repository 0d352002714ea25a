"""Lists of several pages, and lists without an end, against a real HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.lists import Lists, Question, Reply
from tests.support.polls import ORDERS, SECRET, Polls, order, since

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
