"""A whole hub that is called by SOAP: zeep's order becomes canonical, is delivered, and its caller gets the
destination's answer; an edited contract is noticed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import zeep
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from tests.support.brokers import eventually
from tests.support.erp import Answer, Erp, Request
from tests.support.ports import free_ports
from tests.support.site import SiteOnDisk
from tests.support.soap_orders import ORDERS, TYPES, WSDL, write_contract

PASSWORD = "open sesame"
MAP = """{"number": {{ xpath('o:number') | tojson }}, "partner": "ACME", "lines": [{% for line in body.all('o:line') -%}
{"number": "{{ loop.index }}", "quantity": "{{ line.text('t:quantity') }}", "products": {"VP": {{ line.text('t:sku') | tojson }}}}
{{- ',' if not loop.last }}{% endfor %}]}"""  # noqa: E501
SOURCES = """\
format: 1
owner: order-desk
sources:
  called:
    soap:
      endpoint: web
      path: /soap/orders
      wsdl: orders.wsdl
      operations: [CreateOrder]
      security: {users: {ACME: {user: acme-erp, password: "${SOAP_PASSWORD}"}}}
      reply: sync
    read: {xml: {document: order@1, map: soap-order.json.j2, namespaces: {o: "urn:example:orders", t: "urn:example:types"}}}
routes:
  - id: orders
    when: {document: order, partner: ACME, source: called}
    to: [erp]
"""  # noqa: E501
TICKET = f'<CreateOrderResponse xmlns="{ORDERS}"><ticket>T-%s</ticket></CreateOrderResponse>'


class SoapSite:
    """A site that is called at `url`."""

    def __init__(self, site: SiteOnDisk) -> None:
        self.site = site
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}/soap/orders"
        site.environ["SOAP_PASSWORD"] = PASSWORD
        write_contract(site.folder)
        site.write("routes/templates/soap-order.json.j2", MAP)
        site.write("routes/acme.yaml", SOURCES)
        endpoints = (site.folder / "config/endpoints.yaml").read_text()
        site.write("config/endpoints.yaml", f'{endpoints}web: {{http: {{listen: "127.0.0.1:{port}"}}}}\n')
        destinations = (site.folder / "config/destinations.yaml").read_text()
        site.write("config/destinations.yaml", destinations.replace("retry: fast", "retry: fast\n  answer: true"))

    async def order(self, number: str) -> str:
        """What zeep is answered. Raises Fault."""

        def call() -> str:
            client = zeep.Client(f"{self.url}?wsdl", wsse=UsernameToken("acme-erp", PASSWORD, use_digest=True))
            lines = [{"sku": "A-1", "quantity": 2}, {"sku": "B-2", "quantity": 3}]
            return str(client.service.CreateOrder(number=number, line=lines))

        return await asyncio.to_thread(call)

    async def contract(self) -> str:
        def get() -> str:
            with zeep.Transport().session.get(f"{self.url}?wsdl", timeout=5) as reply:
                return str(reply.text)

        return await asyncio.to_thread(get)

    async def serving(self) -> None:
        async def answers() -> bool:
            try:
                return "CreateOrder" in await self.contract()
            except OSError:
                return False

        await eventually(answers)


@pytest.fixture
def soap(site: SiteOnDisk) -> SoapSite:
    return SoapSite(site)


def ticket(request: Request) -> Answer:
    if request.number == "2":
        return Answer(409, b'{"error": {"code": "CREDIT_HOLD"}}')
    return Answer(201, (TICKET % request.number).encode(), {"Content-Type": "application/xml"})


async def test_an_order_by_soap_is_delivered_and_answered_by_the_destination(soap: SoapSite, erp: Erp) -> None:
    erp.script = ticket
    async with soap.site.running():
        await soap.serving()
        assert await soap.order("1") == "T-1"
        assert await soap.order("1") == "T-1"
        with pytest.raises(Fault, match="it waits for a person to decide"):
            await soap.order("2")
    assert erp.numbers() == ["1", "2"]
    assert b'"A-1"' in erp.requests[0].body
    assert b'"quantity":"3"' in erp.requests[0].body.replace(b" ", b"")


async def test_an_edited_contract_is_served_after_a_reload_and_a_broken_one_refused(soap: SoapSite) -> None:
    schemas = soap.site.folder / "routes/schemas"
    async with soap.site.running() as hub:
        await soap.serving()
        before = hub.opened.sources["called"]
        await hub.reload()
        assert hub.opened.sources["called"] is before
        (schemas / "orders.wsdl").write_text(WSDL.replace('name="note"', 'name="remark"'))
        await hub.reload()

        async def edited() -> bool:
            try:
                return 'name="remark"' in await soap.contract()
            except OSError:
                return False

        await eventually(edited)
        between = hub.opened.sources["called"]
        (schemas / "types.xsd").write_text(TYPES.replace("positiveInteger", "integer"))
        await hub.reload()
        assert hub.opened.sources["called"] is not between
        assert findings(soap.site.folder, soap.site.environ) == []
        (schemas / "types.xsd").write_text(TYPES.replace("Line", "Row"))
        (found,) = findings(soap.site.folder, soap.site.environ)
        assert "routes/acme.yaml:8:13: error: orders.wsdl: its schemas can't be used" in found


def findings(folder: Path, environ: dict[str, str]) -> list[str]:
    return [str(finding) for finding in SiteFolder(folder).check(discover(), environ).findings]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "operations: [CreateOrder]",
            "operations: [CreateOrdr]",
            "8:13: error: orders.wsdl has no operation CreateOrdr",
        ),
        ("operations: [CreateOrder]", "operations: [Notify]", "Notify answers with nothing: `reply: sync` doesn't fit"),
    ],
)
def test_what_the_contract_does_not_have_is_said_by_the_check(soap: SoapSite, old: str, new: str, said: str) -> None:
    soap.site.write("routes/acme.yaml", SOURCES.replace(old, new))
    (found,) = findings(soap.site.folder, soap.site.environ)
    assert said in found


@pytest.mark.parametrize(
    ("endpoint", "operation", "said"),
    [
        ("wsdl: orders.wsdl", "CreateOrdr", "has no operation 'CreateOrdr' (did you mean CreateOrder?)"),
        ("wsdl: orders.wsdl, port: x", "CreateOrder", "the WSDL has no such port: x"),
        ("wsdl: types.xsd", "CreateOrder", "no such port that speaks SOAP"),
        ("wsdl: none.wsdl", "CreateOrder", "there is no file routes/schemas/none.wsdl"),
    ],
)
def test_a_call_that_the_contract_does_not_have_is_said_by_the_check(
    soap: SoapSite, endpoint: str, operation: str, said: str
) -> None:
    def append(name: str, text: str) -> None:
        soap.site.write(name, (soap.site.folder / name).read_text() + text)

    append("config/endpoints.yaml", f"legacy: {{soap: {{{endpoint}}}}}\n")
    append("config/destinations.yaml", f"legacy:\n  soap: {{endpoint: legacy, operation: {operation}}}\n")
    soap.site.write("routes/acme.yaml", SOURCES.replace("to: [erp]", "to: [erp, legacy]"))
    (found,) = findings(soap.site.folder, soap.site.environ)
    assert said in found
