"""What lies around is for the hub's user alone; folders that are shared keep their modes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.app.keeping.private_files import make_private, repair, too_open
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.cli import site as site_commands
from tests.support.site import SiteOnDisk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_site(tmp_path: Path) -> SiteOnDisk:
    """As an earlier version leaves it under umask 022."""
    site = SiteOnDisk(tmp_path)
    var = site.folder / "var"
    for folder in ("drop", "claims/ab", "spool", "other"):
        (var / folder).mkdir(parents=True, exist_ok=True)
        (var / folder).chmod(0o775)
    for file in ("hub.db", "hub.db-wal", "broker.db", "hub.lock"):
        (var / file).write_text("x")
        (var / file).chmod(0o644)
    (var / "claims").chmod(0o755)
    var.chmod(0o755)
    return site


def test_what_is_ours_is_repaired_and_what_is_shared_is_left(open_site: SiteOnDisk) -> None:
    folder = SiteFolder(open_site.folder)
    checked = folder.check(discover(), open_site.environ).site
    assert checked is not None
    var = open_site.folder / "var"
    assert {each.path.name for each in too_open(folder, checked)} >= {"hub.db", "broker.db", "claims", "spool", "var"}
    repaired, left = repair(folder, checked)
    assert (left, too_open(folder, checked)) == ([], [])
    assert repaired[0].path == var
    assert mode(var) == 0o711, "others pass through to the folder that they share"
    assert mode(var / "drop") == 0o775
    assert (mode(var / "hub.db"), mode(var / "hub.db-wal"), mode(var / "claims"), mode(var / "spool")) == (
        0o600,
        0o600,
        0o700,
        0o700,
    )


@pytest.fixture
def private() -> Iterator[None]:
    """As in a process of its own: `hub run` begins with make_private."""
    before = os.umask(0o022)
    make_private()
    yield
    os.umask(before)


async def test_a_hub_repairs_at_its_start_and_doctor_says_so(open_site: SiteOnDisk, private: None) -> None:
    for name in ("hub.db", "hub.db-wal", "broker.db"):
        (open_site.folder / "var" / name).unlink()
    told = open_site.cli("doctor", "--json").stdout
    assert '"what": "modes",\n      "state": "error"' in told
    async with open_site.running():
        assert mode(open_site.folder / "var/claims") == 0o700
        assert '"what": "modes",\n      "state": "ok"' in open_site.cli("doctor", "--json").stdout


def test_the_operating_system_says_who_acted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "the.cfo")
    monkeypatch.delenv("SUDO_UID", raising=False)
    mine = site_commands.name_of(os.getuid())
    assert site_commands.whoami().startswith(f"{mine}@")
    monkeypatch.setenv("SUDO_UID", "1")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert site_commands.whoami().startswith("uid 12345@")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert site_commands.whoami().startswith(f"{site_commands.name_of(1)} as {site_commands.name_of(0)}@")
    monkeypatch.setenv("SUDO_UID", "1; the.cfo")
    assert "cfo" not in site_commands.whoami()
