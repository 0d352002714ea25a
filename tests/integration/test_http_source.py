"""A whole hub that is posted to: who may, what is answered, what becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from openapi_spec_validator import validate

from hub.app.running_hub import RunningHub
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.site import SiteOnDisk, order
from tests.support.web import BOLT_KEY, Reply, WebSite


@pytest.fixture
def web(site: SiteOnDisk) -> WebSite:
    return WebSite(site)


@pytest.fixture
async def hub(web: WebSite) -> AsyncIterator[RunningHub]:
    async with web.site.running() as running:
        await listening(web)
        yield running


async def listening(web: WebSite) -> None:
    async def answers() -> bool:
        try:
            return (await web.get("/openapi.json")).status == 200
        except aiohttp.ClientError:
            return False

    await eventually(answers)


async def arrived(erp: Erp, count: int) -> None:
    async def reached() -> bool:
        return len(erp.requests) >= count

    await eventually(reached)


async def status_of(web: WebSite, reply: Reply, state: str) -> Reply:
    """Once the only document is so at the ERP."""
    seen: list[Reply] = []

    async def reached() -> bool:
        seen.append(await web.get(reply.json["status_url"]))
        return seen[-1].json["documents"][0]["destinations"] == [{"state": state}]

    await eventually(reached)
    return seen[-1]


async def test_an_order_is_taken_delivered_and_its_status_told_to_who_has_sent_it(
    hub: RunningHub, web: WebSite, erp: Erp
) -> None:
    reply = await web.post(order("1"))
    assert reply.status == 202
    assert reply.headers["Location"] == f"/status/{reply.json['id']}" == reply.json["status_url"]
    assert (reply.json["documents"], reply.json["refused"]) == (1, 0)
    told = (await status_of(web, reply, "delivered")).json
    assert told["id"] == reply.json["id"]
    assert told["documents"][0] | {"received_at": ""} == {
        "id": reply.json["id"],
        "state": "routed",
        "received_at": "",
        "document": "order@1",
        "number": "1",
        "destinations": [{"state": "delivered"}],
    }
    assert erp.numbers() == ["1"]
    assert (await web.get(reply.json["status_url"], BOLT_KEY)).status == 404
    assert (await web.get(reply.json["status_url"], None)).status == 401
    assert (await web.get("/status/" + "0" * 32)).status == 404
    assert (await web.get("/status/..%2f..%2fetc")).status == 404


async def test_who_doesnt_prove_who_it_is_gets_no_detail(hub: RunningHub, web: WebSite) -> None:
    for key in (None, "", "wrong", "acme-key-012345678", "acme-key-0123456789\u00e9"):
        reply = await web.post(order("1"), key)
        assert (reply.status, reply.json) == (401, {"type": "about:blank", "title": "Not authenticated", "status": 401})


async def test_the_partner_is_who_has_sent_it(hub: RunningHub, web: WebSite, erp: Erp) -> None:
    body = json.loads(order("5"))
    del body["partner"]
    assert (await web.post(json.dumps(body).encode(), BOLT_KEY)).status == 202
    assert (await web.post(json.dumps(body).encode())).status == 202
    await arrived(erp, 2)
    assert len({request.key for request in erp.requests}) == 2, "two partners that send the same bytes send two orders"
    reply = await web.post(order("6"), BOLT_KEY)
    assert reply.status == 422
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["detail"] == "it names the partner ACME, and BOLT has sent it"


async def test_what_cant_be_read_is_refused_and_kept_under_its_id(hub: RunningHub, web: WebSite) -> None:
    reply = await web.post(b"{broken")
    assert reply.status == 422
    assert reply.json["type"] == "urn:hub:unreadable"
    assert reply.json["refused"] == 1

    async def kept() -> bool:
        found = await asyncio.to_thread(web.site.cli, "dead", "list", "--json")
        return reply.json["id"] in found.stdout

    await eventually(kept)
    told = (await web.get(f"/status/{reply.json['id']}")).json
    assert told["documents"][0]["state"] == "unreadable"
    assert told["documents"][0]["cause"]


class TestIdempotencyKeys:
    async def test_the_same_key_and_body_get_the_first_answer_again(
        self, hub: RunningHub, web: WebSite, erp: Erp
    ) -> None:
        first = await web.post(order("1"), Idempotency_Key="k-1")
        again = await web.post(order("1"), Idempotency_Key='"k-1"')
        assert (again.status, again.body, again.headers["Location"]) == (202, first.body, first.headers["Location"])
        other = await web.post(order("2"), Idempotency_Key="k-1")
        assert (other.status, other.json["type"]) == (422, "urn:hub:key-reused")
        assert (await web.post(order("1"), Idempotency_Key="k-2")).json["id"] != first.json["id"]
        assert (await web.post(order("1"), Idempotency_Key="k" * 256)).status == 400
        await arrived(erp, 2)
        assert erp.numbers() == ["1", "1"], "another key with the same bytes is another order"

    async def test_the_same_key_with_another_path_or_query_is_refused(self, hub: RunningHub, web: WebSite) -> None:
        assert (await web.post(order("1"), Idempotency_Key="k", path="/orders/north?a=1&b=2")).status == 202
        assert (await web.post(order("1"), Idempotency_Key="k", path="/orders/north?b=2&a=1")).status == 202
        for path in ("/orders/north", "/orders/north?a=1&b=3", "/orders/south?a=1&b=2"):
            reply = await web.post(order("1"), Idempotency_Key="k", path=path)
            assert (reply.status, reply.json["type"]) == (422, "urn:hub:key-reused"), path

    async def test_the_key_of_another_partner_is_another_key(self, hub: RunningHub, web: WebSite) -> None:
        assert (await web.post(order("1"), Idempotency_Key="k")).status == 202
        assert (await web.post(order("2", partner="BOLT"), BOLT_KEY, Idempotency_Key="k")).status == 202

    async def test_the_answer_is_known_after_a_restart(self, web: WebSite, erp: Erp) -> None:
        async with web.site.running():
            await listening(web)
            first = await web.post(order("1"), Idempotency_Key="k-1")
        async with web.site.running():
            await listening(web)
            assert (await web.post(order("1"), Idempotency_Key="k-1")).body == first.body
            assert (await web.post(order("2"), Idempotency_Key="k-1")).status == 422
        assert len(erp.requests) <= 1

    async def test_a_refused_body_has_the_same_answer_again(self, hub: RunningHub, web: WebSite) -> None:
        first = await web.post(b"{", Idempotency_Key="k-1")
        assert (await web.post(b"{", Idempotency_Key="k-1")).body == first.body


class TestSync:
    @pytest.fixture
    def web(self, site: SiteOnDisk) -> WebSite:
        made = WebSite(site)
        made.source("reply: sync, within: 3s")
        return made

    async def test_the_answer_is_the_destinations(self, hub: RunningHub, web: WebSite, erp: Erp) -> None:
        erp.script = lambda request: Answer(201, b'{"id": "S-77"}', {"Content-Type": "application/vnd.erp+json"})
        reply = await web.post(order("1"), Idempotency_Key="k")
        assert (reply.status, reply.json) == (200, {"id": "S-77"})
        assert reply.headers["Content-Type"] == "application/vnd.erp+json"
        assert (await web.post(order("1"), Idempotency_Key="k")).body == reply.body
        assert (await web.post(order("1"), Idempotency_Key="k2")).json == {"id": "S-77"}
        assert len(erp.requests) == 2

    async def test_a_refusal_and_a_hold_are_problems(self, hub: RunningHub, web: WebSite, erp: Erp) -> None:
        erp.script = lambda request: Answer(400, b"no such customer")
        refused = await web.post(order("1"))
        assert (refused.status, refused.json["type"]) == (422, "urn:hub:refused")
        assert "finds the reason by its id" in refused.json["detail"]
        erp.script = lambda request: Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')
        held = await web.post(order("2"))
        assert (held.status, held.json["type"]) == (409, "urn:hub:held")

    async def test_the_first_failure_and_the_deadline_are_answered_with_the_status(
        self, hub: RunningHub, web: WebSite, erp: Erp
    ) -> None:
        erp.script = lambda request: Answer(503) if request.times == 1 else Answer()
        failed = await web.post(order("1"))
        assert failed.status == 202
        await status_of(web, failed, "delivered")
        erp.script = lambda request: Answer(hang=1.5)
        web.source("reply: sync, within: 300ms")
        await hub.reload()
        late = await web.post(order("2"))
        assert late.status == 202
        assert late.json["documents"] == 1

    async def test_a_second_request_with_the_key_while_the_first_waits(
        self, hub: RunningHub, web: WebSite, erp: Erp
    ) -> None:
        erp.script = lambda request: Answer(hang=0.7)
        first = asyncio.create_task(web.post(order("1"), Idempotency_Key="k"))
        await arrived(erp, 1)
        second = await web.post(order("1"), Idempotency_Key="k")
        assert (second.status, second.json["type"], second.headers["Retry-After"]) == (409, "urn:hub:in-work", "1")
        assert (await first).status == 200


async def test_each_part_of_a_form_is_an_arrival(hub: RunningHub, web: WebSite, erp: Erp) -> None:
    form = aiohttp.FormData()
    form.add_field("a", order("1"), filename="../../etc/passwd", content_type="application/json")
    form.add_field("b", order("2").decode())
    form.add_field("c", b"{broken", filename="c.json", content_type="application/json")
    async with aiohttp.ClientSession(headers={"X-Api-Key": "acme-key-0123456789"}) as client:
        async with client.post(f"{web.url}/orders/north", data=form) as reply:
            told = await reply.json()
            assert (reply.status, told["documents"], told["refused"]) == (202, 2, 1)
        broken = {"Content-Type": "multipart/form-data; boundary=x"}
        async with client.post(f"{web.url}/orders/north", data=b"--y\r\n", headers=broken) as reply:
            assert reply.status == 422
    await arrived(erp, 2)
    assert sorted(erp.numbers()) == ["1", "2"]
    assert len((await web.get(told["status_url"])).json["documents"]) == 3
    assert list((web.site.folder / "var/spool").glob("*")) == []


async def test_a_large_body_is_spooled_and_a_larger_one_refused(web: WebSite, erp: Erp) -> None:
    web.listen("largest: 2MB")
    async with web.site.running():
        await listening(web)
        assert (await web.post(b" " * 1_500_000 + order("1"))).status == 202
        await arrived(erp, 1)
        too_large = await web.post(b" " * 2_100_000)
    assert (too_large.status, too_large.json["title"]) == (413, "Body too large")
    assert list((web.site.folder / "var/spool").glob("*")) == []


async def test_requests_over_the_limit_come_again_later(hub: RunningHub, web: WebSite) -> None:
    web.source("limit: {each: {per_minute: 2}, partners: {BOLT: {per_minute: 1, largest: 100B}}}")
    await hub.reload()
    assert [(await web.post(order(str(n)))).status for n in range(2)] == [202, 202]
    refused = await web.post(order("3"))
    assert refused.status == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert (await web.post(order("4", partner="BOLT"), BOLT_KEY)).status == 413


async def test_content_types_methods_and_paths_that_there_are_not(hub: RunningHub, web: WebSite) -> None:
    assert (await web.post(order("1"), Content_Type="text/plain")).status == 415
    assert (await web.post(order("1"), path="/else")).status == 404
    assert (await web.post(order("1"), path="/orders/%ff%fe")).status == 400
    assert (await web.post(order("1"), path="/orders/a%0d%0aX-Evil:%201")).status == 400
    assert (await web.get("/orders/north")).status == 405


async def test_a_reload_adds_and_removes_without_closing_the_port(hub: RunningHub, web: WebSite, erp: Erp) -> None:
    more = "  second:\n    http: {endpoint: web, path: /second, auth: none}\n    read: {json: order@1}\n"
    statuses: set[int] = set()
    stop = asyncio.Event()

    async def keep_posting() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            statuses.add((await web.post(order(f"n{number}"))).status)

    posting = asyncio.create_task(keep_posting())
    web.source(more=more)
    await hub.reload()

    async def second() -> bool:
        return (await web.post(order("s"), None, path="/second")).status == 202

    await eventually(second)
    web.source("limit: {per_minute: 100000}")
    await hub.reload()
    assert (await web.post(order("t"), None, path="/second")).status in (503, 404)
    stop.set()
    await posting
    assert statuses <= {202, 503}, "no connection was refused"


async def test_a_listener_that_changes_takes_the_port_over(hub: RunningHub, web: WebSite) -> None:
    web.listen("largest: 100B")
    await hub.reload()

    async def changed() -> bool:
        try:
            return (await web.post(b" " * 200)).status == 413
        except aiohttp.ClientError:
            return False

    await eventually(changed)


async def test_the_description_is_of_exactly_what_is_configured(hub: RunningHub, web: WebSite) -> None:
    told = (await web.get("/openapi.json", None)).json
    validate(told)
    assert set(told["paths"]) == {"/orders/{region}", "/status/{id}"}
    post = told["paths"]["/orders/{region}"]["post"]
    assert set(post["requestBody"]["content"]) >= {"application/json", "application/edi-x12", "multipart/form-data"}
    assert post["security"] == [{"key-X-Api-Key": []}]
    assert {"202", "401", "413", "422", "429", "503"} <= set(post["responses"])
    page = (await web.get("/docs", None)).body.decode()
    assert "/orders/{region}" in page
    assert "//" not in page, "it needs no other site"
