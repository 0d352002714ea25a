"""Two hubs on one host: the second is told what to do about the console's port, and what the guide says works."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
import structlog

from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.console.server import serving
from hub.core.errors import ConfigError
from tests.support.site import SiteOnDisk

GUIDE = Path(__file__).parents[3] / "docs/guides/growing.md"


def hub_of(site: SiteOnDisk) -> RunningHub:
    plugins, folder = discover(), SiteFolder(site.folder)
    checked = folder.check(plugins, site.environ)
    assert checked.site is not None, [str(finding) for finding in checked.findings]
    return RunningHub(folder, checked.site, plugins, structlog.get_logger(), SystemClock(), site.environ)


async def test_a_second_hub_on_a_port_is_refused_and_told_what_to_do_as_the_guide_says(tmp_path: Path) -> None:
    found = re.search(r"`(console: \{listen: [^`]*\})`", GUIDE.read_text())
    assert found is not None
    site = SiteOnDisk(tmp_path)
    site.write("config/hub.yaml", f"broker: embedded\n{found[1]}\n")
    assert hub_of(site).settings.console_port == 8025
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        site.environ["HUB_PORT"] = str(port)
        second = hub_of(site)
        assert second.settings.console_port == port
        with pytest.raises(ConfigError) as refused:
            async with serving(second, f"{second.settings.console_host}:{port}"):
                pass
    told = str(refused.value)
    assert f"console.listen: 127.0.0.1:{port} can't be listened on (Address already in use)" in told
    assert refused.value.hint is not None
    assert "Each process on a host needs a port of its own" in refused.value.hint
    assert "127.0.0.1:0 for a free one" in refused.value.hint
    site.environ["HUB_PORT"] = "0"
    third = hub_of(site)
    async with serving(third, f"{third.settings.console_host}:{third.settings.console_port}") as url:
        assert not url.endswith(":0")
