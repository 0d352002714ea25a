"""Accounts of the hub's own SFTP server: what is wrong with them is said before anybody logs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from tests.support.site import SiteOnDisk

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMmwB00iiG4MODGvLy3b7irP9DV0CnIqJGASFGfpd6hP acme"
ROUTES = """\
format: 1
owner: order-desk
sources:
  dropbox:
    sftp_server: {accounts: {acme: {partner: ACME, keys: ["KEY"]}}}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp]
"""


def errors(folder: Path, routes: str) -> str:
    site = SiteOnDisk(folder)
    site.write("routes/acme.yaml", routes)
    return "\n".join(str(finding) for finding in SiteFolder(folder).check(discover(), site.environ).errors)


def test_a_sound_account_is_taken(tmp_path: Path) -> None:
    assert errors(tmp_path, ROUTES.replace("KEY", KEY)) == ""


@pytest.mark.parametrize(
    "key",
    [KEY.replace("AAAAC3", "AAABC3"), KEY.replace("hP acme", ""), "ssh-ed25519 AAAA", "ssh-rsa" + KEY[11:], "acme"],
)
def test_a_damaged_key_is_named_with_its_account(tmp_path: Path, key: str) -> None:
    told = errors(tmp_path, ROUTES.replace("KEY", key))
    assert told.startswith("routes/acme.yaml:5:")
    assert "is no public key, or a damaged one" in told


def test_a_partner_that_nobody_knows_is_named(tmp_path: Path) -> None:
    told = errors(tmp_path, ROUTES.replace("KEY", KEY).replace("partner: ACME, keys", "partner: ACMEE, keys"))
    assert told.startswith("routes/acme.yaml:5:")
    assert "ACMEE" in told
