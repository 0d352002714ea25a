"""Clocks that are wrong, or jump, under whole hubs: nothing is repeated, and nothing waits for the wrong time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.erp import Answer, Erp
from tests.support.laboratory import Laboratory, order_of
from tests.support.laboratory_tools import faketime
from tests.support.site import HubProcess, SiteOnDisk, order
from tests.support.waiting import wait_for

pytestmark = pytest.mark.laboratory

LIBRARY = faketime()

needs_faketime = pytest.mark.skipif(
    LIBRARY is None, reason="libfaketime isn't installed here: `python -m tests.support.provision faketime`"
)


def faked(**more: str) -> dict[str, str]:
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **more}


@needs_faketime
@pytest.mark.rabbitmq
@pytest.mark.postgres
@pytest.mark.parametrize("wrong", ["+40s", "-2h"])
def test_a_host_whose_clock_is_wrong_repeats_nothing_and_is_told(laboratory: Laboratory, wrong: str) -> None:
    laboratory.start(1)
    other = HubProcess(laboratory.site, environ=faked(FAKETIME=wrong))
    other.name = "skewed"
    other.start()
    laboratory.hubs.append(other)
    other.wait_ready()
    laboratory.publish([(f"p-{n}", order_of(f"p-{n}", 400)) for n in range(200)])
    laboratory.drop([(f"d-{n}", order_of(f"d-{n}", 400)) for n in range(50)])
    laboratory.check()
    assert laboratory.repeated() == 0
    assert "the clock of this host is" in str(laboratory.readiness(1)["clock"])
    assert laboratory.readiness(0)["clock"] is None


@needs_faketime
def test_retries_of_the_embedded_broker_come_though_the_clock_is_set_back(tmp_path: Path) -> None:
    down = True
    with Erp(lambda request: Answer(503 if down else 201)).serving() as erp:
        site = SiteOnDisk(tmp_path, erp.url)
        delays = ", ".join(["2s"] * 10)
        site.write(
            "config/policies.yaml",
            f"retry:\n  fast: {{delays: [{delays}], on: [busy]}}\nholds:\n  credit_hold: {{owner: x}}\n",
        )
        moment = tmp_path / "moment"
        moment.write_text("+0s")
        hub = HubProcess(site, environ=faked(FAKETIME_TIMESTAMP_FILE=str(moment), FAKETIME_NO_CACHE="1"))
        hub.start()
        try:
            hub.wait_ready()
            site.drop("one.json", order("4711"))
            wait_for(lambda: len(erp.requests) == 1, "the first attempt")
            time.sleep(0.5)  # the copy is in its retry queue
            moment.write_text("-2h")
            down = False
            wait_for(lambda: len(erp.requests) == 2, f"the retry never came: {hub.log.read_text()}")
        finally:
            hub.kill()
