"""A sound site, compiled: what the composition root gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from hub.configuration.site import Checked, Site
from hub.core.errors import FilePlace
from hub.core.partners import InterchangeId
from hub.core.replies.replies import ReplyRule
from hub.core.retry import QUICK, RetryClass

Check = Callable[..., Checked]


@pytest.fixture
def site(check: Check) -> Site:
    found = check().site
    assert found is not None
    return found


def test_everything_is_there_by_name(site: Site) -> None:
    assert list(site.sources) == ["acme-inbox", "shop-orders"]
    assert list(site.destinations) == ["erp", "approvals", "notices"]
    assert list(site.table.by_id) == ["acme-orders", "acme-notices"]
    assert site.places["acme-orders"] == FilePlace("routes/acme.yaml", 11, 9)
    assert "ship_to_state" in site.facts.facts


def test_the_bounds_of_work_on_foreign_bytes(check: Check) -> None:
    bounds = "{workers: 3, processor_time: 2s, processor_time_per_megabyte: 4s, wall_clock: 1m, memory: 500MB}"
    found = check({"config/hub.yaml": f"broker: embedded\ncontainment: {bounds}\n"}).site
    assert found is not None
    containment = found.settings.containment
    assert (containment.workers, containment.per_source, containment.memory) == (3, None, 500_000_000)
    assert (containment.processor(3_000_000), containment.wall(3_000_000)) == (14.0, 420.0)
    assert (containment.quarantine_after, containment.poison_after) == (2, 3)


def test_a_destination_is_compiled(site: Site) -> None:
    erp = site.destinations["erp"]
    assert (erp.use.plugin.name, erp.use.value("call"), erp.endpoint) == ("rest", "POST /orders", "erp")
    assert erp.retry == RetryClass("patient", (30.0, 120.0, 600.0), ("unreachable", "timeout", "busy", "failed"))
    assert erp.writer is not None
    assert erp.writer.value("template") == "order.json.j2"
    assert erp.replies == (ReplyRule(status=(409,), body={"/error/code": "CREDIT_HOLD"}, hold="credit_hold"),)
    assert (site.destinations["approvals"].retry, site.destinations["approvals"].writer) == (QUICK, None)


def test_a_site_may_have_a_quick_of_its_own(check: Check) -> None:
    own = "retry:\n  patient: {delays: [30s], on: [busy]}\n  quick: {delays: [2s], on: [timeout]}\n"
    holds = "holds:\n  credit_hold: {owner: finance-ops, sla: 4h}\n"
    found = check({"config/policies.yaml": own + holds}).site
    assert found is not None
    assert found.destinations["approvals"].retry == RetryClass("quick", (2.0,), ("timeout",))


def test_a_source_is_compiled(site: Site) -> None:
    source = site.sources["shop-orders"]
    assert (source.use.plugin.name, source.use.value("key"), source.owner) == ("exchange", "order.placed", "order-desk")
    assert (source.reader.plugin.name, source.reader.value("document"), source.documents) == (
        "json",
        "order@1",
        ("order",),
    )


def test_policies_partners_and_settings(site: Site) -> None:
    assert (site.holds["credit_hold"].owner, site.holds["credit_hold"].sla) == ("finance-ops", 4 * 3600.0)
    agreement = site.partners.by_id("01", "043645501")
    assert agreement is not None
    assert (agreement.partner, agreement.we, agreement.version) == ("ACME", InterchangeId("01", "068717859"), "004010")
    assert (site.settings.broker, site.settings.journal, site.settings.console_port) == ("embedded", "var/hub.db", 8025)


def test_the_table_decides(site: Site) -> None:
    facts = {"document": "order", "partner": "ACME", "test": False, "total": Decimal("10000.00")}
    assert [match.destinations for match in site.table.match(facts)] == [("approvals",)]


def test_a_site_is_frozen(site: Site) -> None:
    with pytest.raises(FrozenInstanceError):
        site.table = None  # type: ignore[misc, assignment]


@pytest.mark.parametrize(
    ("text", "broker", "amqp"),
    [
        ("broker: {amqp: amqp://host/}", "amqp", "amqp://host/"),
        ("amqp: amqps://host:5671/v", "amqp", "amqps://host:5671/v"),
        ("# nothing", "embedded", None),
    ],
)
def test_the_forms_of_a_broker(check: Check, text: str, broker: str, amqp: str | None) -> None:
    found = check({"config/hub.yaml": text}).site
    assert found is not None
    assert (found.settings.broker, found.settings.amqp) == (broker, amqp)


@pytest.mark.parametrize("read", ["x12", "{x12: }", "{x12: {only: [ACME]}}", "{x12: , only: [ACME]}"])
def test_the_forms_of_a_plug_in(check: Check, read: str) -> None:
    found = check({}, ("read: x12", f"read: {read}")).site
    assert found is not None
    assert found.sources["acme-inbox"].reader.value("only") == (("ACME",) if "only" in read else ())


def test_a_route_takes_test_traffic_only_when_it_says_so(check: Check) -> None:
    for old, new in (
        ("partner: ACME}", "partner: ACME}\n    test: true"),
        ("partner: ACME}", "partner: ACME, test: true}"),
    ):
        found = check({}, (old, new)).site
        assert found is not None
        assert found.table.by_id["acme-orders"].when["test"] == (True,)


def test_numbers_in_when_are_exact(check: Check) -> None:
    found = check({}, ("document: order, partner", "document: order, total: [100.10, 7], partner")).site
    assert found is not None
    assert found.table.by_id["acme-orders"].when["total"] == (Decimal("100.10"), Decimal(7))


def test_tests_of_routes_are_no_routes(check: Check) -> None:
    assert check({"routes/acme.test.yaml": "tests: 7"}).findings == ()


def test_findings_as_json(check: Check) -> None:
    (finding,) = check({}, ("{send: erp", "{send: epr")).errors
    assert json.loads(json.dumps(finding.as_dict())) == {
        "file": "routes/acme.yaml",
        "line": 16,
        "column": 16,
        "severity": "error",
        "text": "there is no destination 'epr'",
        "hint": "did you mean erp?",
    }


def test_with_an_error_there_is_no_site_and_with_a_warning_there_is(check: Check) -> None:
    assert check({}, ("{send: erp", "{send: epr")).site is None
    warned = check({}, ("to: [notices]", "to: [approvals]"))
    assert warned.site is not None
    assert warned.warnings
