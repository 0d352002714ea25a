"""The outcome of each destination is committed when it arrives, and the bytes of a claim that is missing are asked for
again."""

from __future__ import annotations

import subprocess
import threading
from contextlib import aclosing
from typing import Any

import pytest
import structlog

from hub.clock.system_clock import SystemClock
from hub.core.errors import ClaimMissing, Withheld
from hub.core.options.containment import Containment
from hub.core.retry import Dead, Retry, RetryClass, decide
from hub.runtime.contained.looking import ContainedLooking, LookIntoReply
from hub.runtime.contained.pool import WorkerPool
from tests.support.erp import Answer, Erp, Request
from tests.support.site import SiteOnDisk, order
from tests.support.stories import status_becomes

TWO = """\
fast: {rest: {endpoint: erp, call: POST /fast}}
slow: {rest: {endpoint: erp, call: POST /slow}}
broken: {rest: {endpoint: erp, call: POST /broken}}
"""


async def test_a_fast_destination_does_not_wait_for_a_slow_one(site: SiteOnDisk, erp: Erp) -> None:
    answered = threading.Event()

    def script(request: Request) -> Answer:
        if request.path == "/slow":
            answered.wait(60)
        return Answer(400 if request.path == "/broken" else 201)

    erp.script = script
    site.write("config/endpoints.yaml", f'erp: {{rest: {{base: "{erp.url}", timeout: 60s}}}}\n')
    site.write("config/destinations.yaml", TWO)
    routes = (site.folder / "routes/acme.yaml").read_text().replace("to: [erp]", "to: [fast, slow, broken]")
    site.write("routes/acme.yaml", routes)
    async with site.running() as hub:
        try:
            site.drop("one.json", order("4711"))
            story = await status_becomes(hub, "4711", "delivered", "fast")
            assert await status_becomes(hub, "4711", "dead", "broken")
            assert {effect.destination: effect.status for effect in story.effects}["slow"] == "prepared"
        finally:
            answered.set()
        await status_becomes(hub, "4711", "delivered", "slow")
    assert sorted(request.path for request in erp.requests) == ["/broken", "/fast", "/slow"]


ODD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json; x=\xff\xfe\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_reply_with_bytes_that_are_no_text_makes_no_delivered_order_dead(site: SiteOnDisk, erp: Erp) -> None:
    erp.script = lambda request: Answer(raw=ODD)
    async with site.running() as hub:
        site.drop("one.json", order("4711"))
        await status_becomes(hub, "4711", "delivered")
    assert len(erp.requests) == 1


async def test_no_process_for_a_worker_is_no_documents_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool(Containment(), structlog.get_logger(), SystemClock())
    begin = subprocess.Popen

    def none_left(*arguments: Any, **more: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(subprocess, "Popen", none_left)
    with pytest.raises(Withheld, match="Too many open files"):
        await work(pool)
    assert pool.process_ids == []
    assert "Too many open files" in (await ContainedLooking(pool).look("erp", LARGE, ["/id"])).wrong
    monkeypatch.setattr(subprocess, "Popen", begin)
    assert (await ContainedLooking(pool).look("erp", LARGE, ["/id"])).at("/id") == 7
    await pool.close()


LARGE = b'{"id": 7}' + b" " * 70_000


async def work(pool: WorkerPool) -> None:
    async with aclosing(pool.results("erp", None, LookIntoReply(LARGE, ("/id",)), len(LARGE))) as results:
        async for _ in results:
            continue


def test_a_missing_claim_is_tried_again_whatever_the_class_retries() -> None:
    never = RetryClass("never", (1.0, 5.0), ("busy",))
    missing = ClaimMissing("claim 00 is missing")
    assert decide(missing, 1, never) == Retry(1.0)
    assert decide(missing, 2, never) == Retry(5.0)
    assert isinstance(decide(missing, 3, never), Dead)
