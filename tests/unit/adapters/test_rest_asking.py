"""A REST endpoint that is asked: what facts become, and what is no answer. Against a real HTTP server."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.rest.endpoint import RestEndpoint, RestEndpointOptions
from adapters.rest.url import same_origin
from hub.clock.system_clock import SystemClock
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Asking, Receipt
from tests.support.lists import Lists, Question, Reply

SECRET = "s3cr3t-of-the-hub"
FACTS = {
    "customer": "C 7&x=1#é+%2F",
    "sku": "A.1",
    "slash": "a/b",
    "up": "..",
    "none": None,
    "test": True,
    "long": "x" * 1001,
}


async def ask(lists: Lists, call: str, headers: dict[str, str] | None = None, **options: Any) -> Receipt:
    async with lists.serving():
        endpoint = RestEndpoint(
            RestEndpointOptions.model_validate({"base": lists.url + "/api", **options}), SystemClock()
        )
        assert isinstance(endpoint, Asking)
        try:
            return await endpoint.ask(call, FACTS, headers or {})
        finally:
            await endpoint.close()


async def test_facts_arrive_as_they_are_and_stay_in_their_place() -> None:
    lists = Lists(lambda question: Reply({"name": "Acme"}))
    call = "GET /customers/{customer}/items/{sku}?name={customer}&test={test}&fix=1"
    receipt = await ask(lists, call, {"X-Why": "line\r\nend"}, auth={"bearer": SECRET})
    (question,) = lists.asked
    assert question.raw.partition("?")[0] == "/api/customers/C%207%26x%3D1%23%C3%A9%2B%252F/items/A.1"
    assert question.query == {"name": FACTS["customer"], "test": "true", "fix": "1"}
    assert question.headers["X-Why"] == "line__end"
    assert question.headers["Authorization"] == f"Bearer {SECRET}"
    assert (receipt.status, receipt.reply) == (200, b'{"name": "Acme"}')
    assert receipt.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "call", ["GET /c/{slash}", "GET /c/{up}", "GET /c/{none}", "GET /c/{missing}", "GET /c?a={long}", "DELETE /c"]
)
async def test_what_would_ask_for_something_else_is_refused_and_nothing_is_asked(call: str) -> None:
    lists = Lists(lambda question: Reply())
    with pytest.raises(RejectedError) as refused:
        await ask(lists, call)
    assert refused.value.code == "no_path"
    assert lists.asked == []


@pytest.mark.parametrize(
    ("status", "error"), [(404, RejectedError), (302, RejectedError), (429, TransientError), (500, TransientError)]
)
async def test_what_is_no_answer_is_an_error_without_credentials(status: int, error: type[Exception]) -> None:
    def script(question: Question) -> Reply:
        return Reply({"you": question.headers["Authorization"]}, status, {"Retry-After": "7", "Location": "/else"})

    lists = Lists(script)
    with pytest.raises(error, match=f"HTTP {status}") as found:
        await ask(lists, "GET /c", auth={"bearer": SECRET})
    assert SECRET not in str(found.value)
    assert len(lists.asked) == 1
    if isinstance(found.value, TransientError):
        assert found.value.retry_after == 7


async def test_a_reply_that_is_too_large_is_none() -> None:
    lists = Lists(lambda question: Reply(["x" * 5000]))
    with pytest.raises(RejectedError, match="larger than 2048 bytes") as refused:
        await ask(lists, "GET /c", largest_reply=2048)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://erp.example/x", True),
        ("https://ERP.example:443/x?y", True),
        ("http://erp.example/x", False),
        ("https://erp.example:8443/x", False),
        ("https://erp.example.evil/x", False),
        ("https://erp.example@evil/x", False),
        ("https://u:p@erp.example/x", False),
        ("https://erp.example\\@evil/x", False),
        ("//erp.example/x", False),
        ("https://erp.example:x/", False),
        ("https://[::1", False),
    ],
)
def test_only_the_same_scheme_host_and_port_is_the_same_origin(url: str, same: bool) -> None:
    assert same_origin("https://erp.example/api/v1", url) is same
