"""The outcome of each destination is committed when it arrives, and the bytes of a claim that is missing are asked for again."""

from __future__ import annotations

import threading

from hub.core.errors import ClaimMissing
from hub.core.retry import Dead, Retry, RetryClass, decide
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
            assert {effect["destination"]: effect["status"] for effect in story.effects}["slow"] == "prepared"
        finally:
            answered.set()
        await status_becomes(hub, "4711", "delivered", "slow")
    assert sorted(request.path for request in erp.requests) == ["/broken", "/fast", "/slow"]


def test_a_missing_claim_is_tried_again_whatever_the_class_retries() -> None:
    never = RetryClass("never", (1.0, 5.0), ("busy",))
    missing = ClaimMissing("claim 00 is missing")
    assert decide(missing, 1, never) == Retry(1.0)
    assert decide(missing, 2, never) == Retry(5.0)
    assert isinstance(decide(missing, 3, never), Dead)
