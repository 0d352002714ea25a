"""A real `hub run` process: signals, health, commands from the shell, and databases and brokers that go away."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.erp import Answer, Erp
from tests.support.hub_forks import ForkedHub, forks
from tests.support.postgres import PostgresServer, find_binaries
from tests.support.rabbitmq import RabbitNode
from tests.support.site import HubProcess, SiteOnDisk, order
from tests.support.waiting import wait_for


def events(hub: HubProcess, name: str) -> list[dict[str, Any]]:
    lines = hub.log.read_text(errors="replace").splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in found if line.get("event") == name]


@pytest.fixture
def site(tmp_path: Path, erp: Erp) -> SiteOnDisk:
    return SiteOnDisk(tmp_path, erp.url)


@pytest.fixture
def hub(site: SiteOnDisk) -> Iterator[HubProcess]:
    process = ForkedHub(site, forks())
    yield process
    process.kill()


@pytest.fixture
def real_hub(site: SiteOnDisk) -> Iterator[HubProcess]:
    process = HubProcess(site)
    yield process
    process.kill()


def test_hangup_reloads_and_a_bad_version_changes_nothing(real_hub: HubProcess, site: SiteOnDisk, erp: Erp) -> None:
    real_hub.start()
    real_hub.wait_ready()
    good = (site.folder / "routes/acme.yaml").read_text()
    site.write("routes/acme.yaml", good.replace("to: [erp]", "to: [epr]"))
    real_hub.signal(signal.SIGHUP)
    (refused,) = wait_for(lambda: events(real_hub, "reload_refused"), "the bad version was not refused")
    assert "routes/acme.yaml:" in refused["error"]
    assert "did you mean" in refused["error"]
    assert 'hub_reloads_total{outcome="refused"} 1.0' in real_hub.get("/metrics")[1]
    site.write("routes/acme.yaml", good.replace("partner: ACME", "partner: [ACME]").replace("order-desk", "other-desk"))
    real_hub.signal(signal.SIGHUP)
    (done,) = wait_for(lambda: events(real_hub, "reloaded"), "the good version was not taken")
    assert done["changed"] == ["orders"]
    made = [path for path in (site.folder / "var").iterdir() if path.name not in ("drop", "in", "out")]
    assert {path.name for path in made} >= {"hub.db", "broker.db", "hub.lock"}
    assert [f"{path} {path.stat().st_mode:o}" for path in made if path.stat().st_mode & 0o077] == []
    assert done["table"] in real_hub.get("/metrics")[1]
    assert real_hub.stop() == 0


def test_the_commands_from_the_shell(hub: HubProcess, site: SiteOnDisk, erp: Erp) -> None:
    held = b'{"error": {"code": "CREDIT_HOLD"}}'
    script = {"2": Answer(409, held), "3": Answer(422)}
    erp.script = lambda request: script.get(request.number, Answer())
    assert "no dead letters" in site.cli("dead", "list").stdout
    assert "nothing is on hold" in site.cli("hold", "list").stdout
    assert site.cli("trace", "1").returncode == 1
    early = site.cli("reload")
    assert early.returncode == 3
    assert "no hub runs" in early.stderr
    hub.start()
    hub.wait_ready()
    for number in ("1", "2", "3"):
        body = site.write(f"{number}.json", order(number).decode())
        done = site.cli("publish", "shop.events", "order.placed", str(body), "--json")
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)["message_id"]) == 32
    unbound = site.cli("publish", "shop.events", "nobody.wants.it", str(site.folder / "1.json"))
    assert unbound.returncode == 1
    assert "nothing is bound" in unbound.stderr

    def holds() -> list[Any]:
        return json.loads(site.cli("hold", "list", "--json").stdout)["holds"]  # type: ignore[no-any-return]

    def dead() -> list[Any]:
        return json.loads(site.cli("dead", "list", "--json").stdout)["dead_letters"]  # type: ignore[no-any-return]

    (hold,) = wait_for(holds, "nothing is held")
    (letter,) = wait_for(dead, "nothing is dead")
    assert (hold["number"], letter["number"]) == ("2", "3")
    assert hold["id"] in site.cli("hold", "show", hold["id"][:8]).stdout
    assert '"number":"3"' in site.cli("dead", "show", letter["id"]).stdout
    preview = site.cli("dead", "replay", "--route", "orders", "--dry-run")
    assert "1 would be replayed; nothing was done" in preview.stdout
    assert site.cli("dead", "replay").returncode == 2
    script.clear()
    assert "1 replayed" in site.cli("dead", "replay", "--route", "orders").stdout
    assert "replayed already" in site.cli("dead", "replay", letter["id"]).stdout
    assert "1 released" in site.cli("hold", "release", hold["id"], "--reason", "paid").stdout
    again = site.cli("hold", "release", hold["id"])
    assert again.returncode == 1
    assert "released already" in again.stdout
    for number in ("1", "2", "3"):
        told = wait_for(
            lambda number=number: (
                (found := json.loads(site.cli("trace", number, "--json").stdout)["messages"])[0]["effects"][0]["status"]
                == "delivered"
                and found
            ),
            f"{number} was not delivered",
        )
        assert told[0]["number"] == number
    assert "delivered" in site.cli("trace", "3").stdout
    doctor = json.loads(site.cli("doctor", "--json").stdout)
    assert doctor["ok"], doctor
    assert hub.stop() == 0


def test_discard_needs_a_reason_and_ends_a_dead_letter(hub: HubProcess, site: SiteOnDisk, erp: Erp) -> None:
    hub.start()
    hub.wait_ready()
    site.drop("bad.json", b"{")
    wait_for(lambda: "1" in site.cli("dead", "list", "--kind", "source").stdout, "nothing is dead")
    assert site.cli("dead", "discard", "--all").returncode == 2
    assert "1 discarded" in site.cli("dead", "discard", "--all", "--reason", "a test").stdout
    assert "no dead letters" in site.cli("dead", "list").stdout
    assert "discarded" in site.cli("dead", "list", "--all").stdout


def test_two_hubs_on_one_embedded_site_the_second_says_who_has_it(hub: HubProcess, site: SiteOnDisk) -> None:
    hub.start()
    hub.wait_ready()
    second = site.cli("run")
    assert second.returncode == 1
    assert "belongs to the running process" in second.stderr


def test_while_the_database_is_away_nothing_is_taken_and_afterwards_it_goes_on_by_itself(
    tmp_path: Path, erp: Erp, amqp_vhost: str
) -> None:
    binaries = find_binaries()
    assert binaries is not None
    server = PostgresServer(binaries)
    try:
        server.start()
        site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=server.url)
        hub = ForkedHub(site, forks())
        try:
            hub.start()
            hub.wait_ready()
            site.drop("1.json", order("1"))
            wait_for(lambda: erp.numbers() == ["1"], "the first order is lost")
            server.stop()
            wait_for(lambda: hub.get("/health/ready")[0] == 503, "it still says that it is ready")
            assert hub.get("/health/live")[0] == 200
            for number in range(2, 12):
                site.drop(f"{number}.json", order(str(number)))
            wait_for(lambda: events(hub, "journal_away"), "it doesn't say that the journal is away")
            time.sleep(1.0)
            assert erp.numbers() == ["1"]
            server.start()
            hub.wait_ready()
            wait_for(lambda: len(set(erp.numbers())) == 11, f"only {erp.numbers()}")
            assert sorted(erp.numbers(), key=int) == [str(n) for n in range(1, 12)]
            assert hub.stop() == 0
        finally:
            hub.kill()
    finally:
        server.close()


def test_a_broker_that_comes_late_and_goes_away(tmp_path: Path, erp: Erp, rabbit_node: RabbitNode) -> None:
    rabbit_node.stop()
    site = SiteOnDisk(tmp_path, erp.url, amqp=rabbit_node.url)
    hub = ForkedHub(site, forks())
    try:
        hub.start()
        status, text = wait_for(lambda: (found := hub.get("/health/ready"))[0] == 503 and found, "no answer")
        assert json.loads(text)["ready"] is False
        site.drop("1.json", order("1"))
        rabbit_node.start()
        hub.wait_ready()
        wait_for(lambda: erp.numbers() == ["1"], "the first order is lost")
        rabbit_node.stop()
        wait_for(lambda: hub.get("/health/ready")[0] == 503, "it still says that it is ready")
        site.drop("2.json", order("2"))
        rabbit_node.start()
        hub.wait_ready()
        wait_for(lambda: sorted(erp.numbers()) == ["1", "2"], f"{erp.numbers()}")
        assert status == 503
    finally:
        hub.kill()
