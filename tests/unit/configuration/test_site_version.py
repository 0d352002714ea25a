"""The version of a site: a digest of the files that the check reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from tests.support.site import ROUTES, SiteOnDisk
from tests.support.soap_orders import write_contract

PLUGINS = discover()
SHIPPED = Path(__file__).parents[3] / "routes"
STEPS = "    steps: [{name: zone, enrich: {table: zones.csv, key: '{partner}', set: {release: city}}}]\n"
DESTINATIONS = """\
mirror:
  file: {folder: var/mirror, name: "{number}.json"}
  write: {template: order-to-erp.json.j2, schema: erp-order.schema.json}
desk:
  soap: {endpoint: desk, operation: CreateOrder}
"""
ENDPOINTS = """\
desk:
  soap: {wsdl: orders.wsdl, address: "http://127.0.0.1:9", tls: {ca: authority.pem}}
  # a comment
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteOnDisk:
    """A site that names a file of each kind."""
    made = SiteOnDisk(tmp_path_factory.mktemp("site"))
    write_contract(made.folder)
    for name in ("templates/order-to-erp.json.j2", "schemas/erp-order.schema.json"):
        made.write(f"routes/{name}", (SHIPPED / name).read_text())
    made.write("config/facts.yaml", "state: {from: order.ship_to.address.state, type: text, default: ''}\n")
    made.write("config/tables/zones.csv", "partner,city\nACME,Bremen\n")
    made.write("routes/templates/unused.json.j2", "{}")
    made.write("routes/acme.test.yaml", "tests: []\n")
    made.write("authority.pem", "an authority")
    for name, more in (("config/destinations.yaml", DESTINATIONS), ("config/endpoints.yaml", ENDPOINTS)):
        made.write(name, (made.folder / name).read_text() + more)
    made.write(
        "routes/acme.yaml",
        ROUTES.replace("to: [erp]", "to: [erp, mirror, desk]").replace("  edi:\n", f"{STEPS}  edi:\n", 1),
    )
    return made


def version(site: SiteOnDisk, **environ: str) -> str:
    checked = SiteFolder(site.folder).check(PLUGINS, {**site.environ, **environ})
    assert checked.site is not None, [str(finding) for finding in checked.errors]
    return checked.site.version


READ = (
    "config/hub.yaml",
    "config/endpoints.yaml",
    "config/policies.yaml",
    "config/facts.yaml",
    "config/destinations.yaml",
    "config/partners/acme.yaml",
    "config/tables/zones.csv",
    "routes/acme.yaml",
    "routes/templates/order-to-erp.json.j2",
    "routes/schemas/erp-order.schema.json",
    "routes/schemas/orders.wsdl",
    "routes/schemas/types.xsd",
)


def test_each_file_that_the_check_reads_counts(site: SiteOnDisk) -> None:
    """One byte more at the end: a line end, which changes nothing that is said."""
    versions = {version(site)}
    for name in READ:
        path = site.folder / name
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        versions.add(version(site))
        path.write_bytes(before)
    assert len(versions) == len(READ) + 1


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("config/policies.yaml", "300ms", "400ms"),
        ("config/endpoints.yaml", "127.0.0.1:9", "127.0.0.1:10"),
        ("config/endpoints.yaml", "a comment", "another comment"),
        ("config/hub.yaml", "${HUB_JOURNAL}", "${OTHER_JOURNAL:-var/hub.db}"),
        ("config/endpoints.yaml", "authority.pem", "./authority.pem"),
    ],
)
def test_what_is_edited_changes_it(site: SiteOnDisk, name: str, old: str, new: str) -> None:
    path, before = site.folder / name, version(site)
    text = path.read_text()
    path.write_text(text.replace(old, new))
    try:
        assert version(site) != before
    finally:
        path.write_text(text)
    assert version(site) == before


def test_what_the_check_does_not_read_changes_nothing(site: SiteOnDisk) -> None:
    before = version(site)
    os.utime(site.folder / "routes/acme.yaml")
    site.write("routes/templates/unused.json.j2", "[]")
    site.write("routes/acme.test.yaml", "tests: 7\n")
    site.write("authority.pem", "an authority, renewed")
    site.write("var/out/1.json", "{}")
    assert version(site, HUB_JOURNAL="var/other.db") == before


def test_a_file_under_another_name_is_another_version(site: SiteOnDisk) -> None:
    before = version(site)
    path = site.folder / "config/partners/acme.yaml"
    path.rename(path.with_name("acme-inc.yaml"))
    try:
        assert version(site) != before
    finally:
        path.with_name("acme-inc.yaml").rename(path)


def test_the_same_files_elsewhere_have_the_same_version(site: SiteOnDisk, tmp_path: Path) -> None:
    names = [path.relative_to(site.folder) for path in site.folder.rglob("*") if path.is_file()]
    for name in sorted(names, reverse=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site.folder / name, tmp_path / name)
    checked = SiteFolder(tmp_path).check(PLUGINS, site.environ)
    assert checked.site is not None
    assert checked.site.version == version(site)
