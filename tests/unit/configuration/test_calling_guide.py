"""The guide to calling systems: its files are a site that loads."""

from __future__ import annotations

import re
from pathlib import Path

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.core.context import Context
from hub.core.ports import BytesBody
from tests.support.soap_orders import TYPES, WSDL

GUIDE = Path(__file__).parents[3] / "docs/guides/calling-systems.md"
REST_OF_THE_SITE = {
    "config/hub.yaml": "broker: embedded\n",
    "config/policies.yaml": (
        "retry:\n  patient: {delays: [30s, 2m], on: [unreachable, timeout, busy, failed]}\n"
        "holds:\n  credit_hold: {owner: finance-ops}\n"
    ),
    "config/facts.yaml": 'ship_to_state: {from: order.ship_to.address.state, type: text, default: ""}\n',
    "config/partners/acme.yaml": 'partner: ACME\nids: [{qualifier: "01", id: "043645501"}]\n',
    "routes/schemas/erp.wsdl": WSDL.replace("CreateOrder", "create_order"),
    "routes/schemas/types.xsd": TYPES,
    "routes/templates/order-to-erp.json.j2": "{}",
    "routes/templates/create-order.xml.j2": "<create_order/>",
    "routes/templates/notice.txt.j2": "Order",
}
POLLED = b"""{"number": "7", "customer": "ACME", "updated_at": "2026-03-02T10:00:00Z",
  "lines": [{"sku": "A-1", "quantity": 2, "price": 1.5}, {"sku": "A-2", "quantity": 1, "price": 9}]}"""
ROUTES = """\
format: 1
owner: order-desk
sources:
  inbox: {file: {folder: in}, read: {json: order@1}}
destinations:
  acme-out: {file: {folder: out}}
routes:
  - {id: orders, when: {document: order}, to: [erp, legacy, order-desk]}
"""


def test_the_files_of_the_guide_are_a_site(tmp_path: Path) -> None:
    files = dict(REST_OF_THE_SITE)
    for name, text in re.findall(r"```yaml\n# (config/\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        files[name] = files.get(name, "") + text
    (routes,) = re.findall(r"```yaml\nroutes:\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (polled,) = re.findall(r"```yaml\n# (routes/\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (template,) = re.findall(r"```jinja\n{# (\S+) #}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    files["routes/acme.yaml"] = ROUTES + routes
    files |= {polled[0]: polled[1], template[0]: template[1]}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    secrets = ("ERP_SECRET", "LEGACY_PASSWORD", "MAIL_PASSWORD")
    urls = ("ERP_URL", "ERP_TOKEN_URL", "LEGACY_URL")
    environ = dict.fromkeys(secrets, "a-secret") | dict.fromkeys(urls, "https://erp.example")
    checked = SiteFolder(tmp_path).check(discover(), environ)
    found = [str(finding) for finding in checked.findings if "there is no file config/" not in finding.text]
    assert found == [], "but for the keys and certificates, which the guide's reader has"
    assert checked.site is not None
    assert checked.site.sources["erp.reply"].documents == ("order_acknowledgment",)
    use = checked.site.sources["shop-orders"].reader
    reader = use.plugin.build("shop-orders", use.options, Context(tmp_path, text=SiteFolder(tmp_path).text))
    (reading,) = reader.read(BytesBody(POLLED))
    assert reading.error is None
    assert [line.products["VN"] for line in reading.document.lines] == ["A-1", "A-2"]


def test_a_route_that_waits_for_what_no_reply_can_be_is_told(tmp_path: Path) -> None:
    for name, text in REST_OF_THE_SITE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "config/endpoints.yaml").write_text("erp: {rest: {base: https://erp.example}}\n")
    (tmp_path / "config/destinations.yaml").write_text(
        "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  read: {json: order_acknowledgment@1}\n"
    )
    (tmp_path / "routes/acme.yaml").write_text(
        "format: 1\nowner: order-desk\nsources:\n  inbox: {file: {folder: in}, read: {json: order@1}}\nroutes:\n"
        "  - {id: orders, when: {document: order}, to: [erp]}\n"
        "  - {id: wrong, when: {document: invoice, source: erp.reply}, to: [erp]}\n"
        "  - {id: worse, when: {document: order, source: erp.replies}, to: [erp]}\n"
    )
    said = " ".join(str(finding) for finding in SiteFolder(tmp_path).check(discover(), {}).findings)
    assert "route wrong can never match: no source yields invoice" in said
    assert "erp.replies" in said
    assert "did you mean erp.reply?" in said
