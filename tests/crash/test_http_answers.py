"""Two processes that share a journal and a broker; and one that dies between the publish and its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp
from tests.support.hub_forks import ForkedHub, HubForks
from tests.support.site import SiteOnDisk, order
from tests.support.web import Reply, WebSite

pytestmark = pytest.mark.crash


async def answers(web: WebSite) -> None:
    async def reached() -> bool:
        try:
            return (await web.get("/openapi.json")).status == 200
        except aiohttp.ClientError:
            return False

    await eventually(reached)


class TestTwoProcesses:
    """Each listens on a port of its own; what they share is RabbitMQ and PostgreSQL."""

    pytestmark = [pytest.mark.rabbitmq, pytest.mark.postgres]

    @pytest.fixture
    def webs(self, tmp_path: Path, erp: Erp, amqp_vhost: str, database_url: str) -> tuple[WebSite, WebSite]:
        made = []
        for name in ("a", "b"):
            site = SiteOnDisk(tmp_path / name, erp.url, amqp=amqp_vhost, journal=database_url)
            claims = f"claims: {tmp_path / 'claims'}\n"
            site.write("config/hub.yaml", (site.folder / "config/hub.yaml").read_text() + claims)
            web = WebSite(site)
            web.source("reply: sync, within: 10s")
            made.append(web)
        return made[0], made[1]

    async def test_an_answer_comes_whichever_process_delivers_and_a_key_is_known_to_both(
        self, webs: tuple[WebSite, WebSite], erp: Erp, forks: HubForks
    ) -> None:
        erp.script = lambda request: Answer(201, f'{{"id": "S-{request.number}"}}'.encode())
        processes = [ForkedHub(web.site, forks) for web in webs]
        try:
            for process in processes:
                process.start()
            for process, web in zip(processes, webs, strict=True):
                await asyncio.to_thread(process.wait_ready)
                await answers(web)
            replies = await asyncio.gather(
                *(webs[n % 2].post(order(str(n)), Idempotency_Key=f"k{n}") for n in range(20))
            )
            assert [(reply.status, reply.json) for reply in replies] == [(200, {"id": f"S-{n}"}) for n in range(20)]
            again = await asyncio.gather(
                *(webs[(n + 1) % 2].post(order(str(n)), Idempotency_Key=f"k{n}") for n in range(20))
            )
            assert [reply.body for reply in again] == [reply.body for reply in replies]
            assert (await webs[1].post(order("99"), Idempotency_Key="k0")).status == 422
            assert len(erp.requests) == 20
            erp.script = lambda request: Answer(hang=1.0)
            first = asyncio.create_task(webs[0].post(order("50"), Idempotency_Key="slow"))

            async def begun() -> bool:
                return bool(erp.of("50"))

            await eventually(begun)
            assert (await webs[1].post(order("50"), Idempotency_Key="slow")).status == 409
            assert (await first).status == 200
            assert len(erp.of("50")) == 1
        finally:
            for process in processes:
                process.kill()


async def test_a_request_whose_answer_a_crash_has_swallowed_is_repeated_without_a_second_order(
    tmp_path: Path, erp: Erp, forks: HubForks
) -> None:
    web = WebSite(SiteOnDisk(tmp_path, erp.url))
    web.source("reply: sync, within: 20s")
    erp.script = lambda request: Answer(201, b'{"id": "S-1"}', hang=3.0 if request.times == 1 else 0.0)
    process = ForkedHub(web.site, forks)
    try:
        process.start()
        await asyncio.to_thread(process.wait_ready)
        await answers(web)
        first = asyncio.create_task(web.post(order("1"), Idempotency_Key="k"))

        async def at_the_erp() -> bool:
            return bool(erp.requests)

        await eventually(at_the_erp)
        await asyncio.to_thread(process.kill)
        with pytest.raises(aiohttp.ClientError):
            await first
        process.start()
        await asyncio.to_thread(process.wait_ready)
        await answers(web)
        reply = await web.post(order("1"), Idempotency_Key="k")
        assert (reply.status, reply.json) == (200, {"id": "S-1"})
        assert len({request.key for request in erp.requests}) == 1, "the same document under the same key: one order"
        assert (await web.post(order("1"), Idempotency_Key="k")).body == reply.body
    finally:
        process.kill()


async def test_a_crash_before_anything_was_taken(tmp_path: Path, erp: Erp, forks: HubForks) -> None:
    """The key was taken, and its process has ended: whoever comes next does the work."""
    web = WebSite(SiteOnDisk(tmp_path, erp.url))
    process = ForkedHub(web.site, forks)
    seen: list[Reply] = []
    try:
        process.start()
        await asyncio.to_thread(process.wait_ready)
        await answers(web)
        posting = [asyncio.create_task(web.post(order(str(n)), Idempotency_Key=f"k{n}")) for n in range(40)]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(process.kill)
        await asyncio.gather(*posting, return_exceptions=True)
        process.start()
        await asyncio.to_thread(process.wait_ready)
        await answers(web)
        for n in range(40):
            seen.append(await web.post(order(str(n)), Idempotency_Key=f"k{n}"))
        assert {reply.status for reply in seen} == {202}

        async def all_there() -> bool:
            return len({request.number for request in erp.requests}) == 40

        await eventually(all_there)
        assert len({request.key for request in erp.requests}) == 40
    finally:
        process.kill()
