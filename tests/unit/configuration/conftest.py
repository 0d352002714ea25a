"""A small site, plug-ins of the tests' own, and `check`: a site with some files changed, and what the checker says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import Field, field_validator

from hub.configuration.check import check_site
from hub.configuration.site import Checked
from hub.core.options.duration import Duration
from hub.core.plugin import KINDS, Options, Plugin
from hub.core.plugins import Plugins

HUB = """\
broker: embedded
"""
ENDPOINTS = """\
erp: {rest: {base: "${ERP_URL}", auth: {bearer: "${ERP_TOKEN}"}}}
"""
POLICIES = """\
retry:
  patient: {delays: [30s, 2m, 10m], on: [unreachable, timeout, busy, failed]}
holds:
  credit_hold: {owner: finance-ops, sla: 4h}
"""
FACTS = """\
ship_to_state: {from: order.ship_to.address.state, type: text, default: ""}
department: {from: order.department, type: text}
"""
ACME = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12: {version: "004010", receive: ["850", "856", "810"]}
"""
DESTINATIONS = """\
erp:
  rest: {endpoint: erp, call: POST /orders}
  write: {template: order.json.j2, schema: order.schema.json}
  retry: patient
  replies:
    - {status: 409, body: {/error/code: CREDIT_HOLD}, hold: credit_hold}
approvals:
  exchange: {name: orders.approval, key: "{partner}"}
notices:
  file: {folder: var/out, name: "{document}_{number}.json"}
"""
ROUTES = """\
format: 1
owner: order-desk
sources:
  acme-inbox:
    file: {folder: var/drop, match: "*.edi", settle: 2s}
    read: x12
  shop-orders:
    exchange: {name: shop.events, key: order.placed}
    read: {json: order@1}
routes:
  - id: acme-orders
    when: {document: order, partner: ACME}
    once: [partner, number]
    to:
      - {send: approvals, if: "total >= 10000"}
      - {send: erp, unless: "total >= 10000"}
  - id: acme-notices
    when: {document: [ship_notice, invoice]}
    to: [notices]
"""
SITE: Mapping[str, str] = {
    "config/hub.yaml": HUB,
    "config/endpoints.yaml": ENDPOINTS,
    "config/policies.yaml": POLICIES,
    "config/facts.yaml": FACTS,
    "config/partners/acme.yaml": ACME,
    "config/destinations.yaml": DESTINATIONS,
    "routes/acme.yaml": ROUTES,
}
STANDING = ("routes/templates/order.json.j2", "routes/schemas/order.schema.json")
ENVIRON = {"ERP_URL": "http://127.0.0.1:9/erp", "ERP_TOKEN": "hush"}


class Auth(Options):
    bearer: str


class RestEndpoint(Options):
    base: str = Field(description="The URL that paths are relative to.")
    auth: Auth | None = None

    @field_validator("base")
    @classmethod
    def http(cls, value: str) -> str:
        if not value.startswith("http"):
            raise ValueError(f"base must be an http URL, not {value}")
        return value


class FtpEndpoint(Options):
    host: str


class FileSource(Options):
    folder: str
    match: str = "*"
    settle: Duration = "2s"


class ExchangeSource(Options):
    name: str
    key: str | None = None
    keys: tuple[str, ...] = ()
    prefetch: int = Field(50, ge=1)


class RestDestination(Options):
    endpoint: str
    call: str


class ExchangeDestination(Options):
    name: str
    key: str = "{document}"


class FileDestination(Options):
    folder: str
    name: str = "{number}.json"


class X12Reader(Options):
    only: tuple[str, ...] = ()


class JsonReader(Options):
    document: str


class TemplateWriter(Options):
    template: str
    schema_: str | None = Field(None, alias="schema")


def build(name: str, options: Any, context: Any) -> object:
    return object()


def plugin(name: str, kind: Any, options: type[Options], **more: Any) -> Plugin:
    return KINDS[kind](name=name, options=options, summary=f"{name}, for tests", example="", build=build, **more)


PLUGINS = Plugins.of(
    (
        plugin("rest", "endpoint", RestEndpoint),
        plugin("ftp", "endpoint", FtpEndpoint),
        plugin("file", "source", FileSource),
        plugin("exchange", "source", ExchangeSource),
        plugin("rest", "destination", RestDestination, endpoint=("endpoint", "rest"), fact_templates=("call",)),
        plugin("exchange", "destination", ExchangeDestination, fact_templates=("key",)),
        plugin("file", "destination", FileDestination, fact_templates=("name",)),
        plugin("x12", "reader", X12Reader, documents=lambda options: ("order", "ship_notice", "invoice")),
        plugin("json", "reader", JsonReader, shorthand="document", documents=lambda options: (options.document,)),
        plugin(
            "template",
            "writer",
            TemplateWriter,
            shorthand="template",
            files={"template": "routes/templates", "schema_": "routes/schemas"},
        ),
    )
)

Check = Callable[..., Checked]


@pytest.fixture
def check() -> Check:
    """`check({file: text or None})` checks the small site with files changed; `check({}, ("old", "new"))` replaces text
    that must occur in exactly one file; `environ=` replaces the environment."""

    def run(
        changes: Mapping[str, str | bytes | None] | None = None,
        *replacements: tuple[str, str],
        environ: Mapping[str, str] = ENVIRON,
    ) -> Checked:
        files: dict[str, str | bytes | None] = {**SITE, **(changes or {})}
        for old, new in replacements:
            holders = [name for name, text in files.items() if isinstance(text, str) and old in text]
            assert len(holders) == 1, f"{old!r} stands in {holders}"
            text = files[holders[0]]
            assert isinstance(text, str)
            files[holders[0]] = text.replace(old, new)
        content = {
            name: text.encode() if isinstance(text, str) else text for name, text in files.items() if text is not None
        }
        return check_site(content, PLUGINS, environ, lambda name: name in STANDING)

    return run


@pytest.fixture
def said(check: Check) -> Callable[..., list[str]]:
    """As `check`, but only what the findings say."""

    def run(*args: Any, **options: Any) -> list[str]:
        return [str(finding) for finding in check(*args, **options).findings]

    return run
