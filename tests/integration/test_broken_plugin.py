"""A plug-in that breaks its contract ends one message with its cause, never the hub, and never in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.app.logs import make_logger
from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import HubError
from hub.core.plugin import DestinationPlugin, Options, Plugin, ReaderPlugin
from hub.core.plugins import Plugins
from hub.core.ports import Body, Outgoing, Reading, Receipt
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk, order


class NoOptions(Options):
    """Nothing to say."""


class BrokenDestination:
    async def send(self, outgoing: Outgoing) -> Receipt:
        raise KeyError("not my fault")

    async def close(self) -> None:
        return None


class BrokenReader:
    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        raise ZeroDivisionError("oh")
        yield Reading(())


def build(made: Any) -> Any:
    def builder(name: str, options: Any, context: Context) -> Any:
        return made()

    return builder


class Fused:
    """A destination that can be built until its fuse is blown."""

    def __init__(self) -> None:
        self.blown = False

    def __call__(self, name: str, options: Any, context: Context) -> BrokenDestination:
        if self.blown:
            raise KeyError("no fuse")
        return BrokenDestination()


async def test_a_builder_that_breaks_refuses_the_reload(tmp_path: Path) -> None:
    site, fuse = SiteOnDisk(tmp_path), Fused()
    fused = Plugins.of(
        [*installed(), DestinationPlugin(name="fused", options=NoOptions, summary="Breaks.", example="{}", build=fuse)]
    )
    checked = SiteFolder(tmp_path).check(fused, site.environ)
    assert checked.site is not None, checked.findings
    with (tmp_path / "hub.log").open("w", buffering=1) as stream:
        hub = RunningHub(
            SiteFolder(tmp_path),
            checked.site,
            fused,
            make_logger(json=True, stream=stream),
            SystemClock(),
            site.environ,
        )
        await hub.start()
        try:
            table, fuse.blown = hub.site.version, True
            site.write("config/destinations.yaml", "erp: {fused: }\n")
            with pytest.raises(HubError, match="KeyError: 'no fuse'"):
                await hub.reload()
            assert hub.site.version == table
            assert hub.metrics.registry.get_sample_value("hub_reloads_total", {"outcome": "refused"}) == 1
        finally:
            await hub.stop(5.0)
    assert "reload_refused" in (tmp_path / "hub.log").read_text()


def installed() -> list[Plugin]:
    return [plugin for kind in discover().by_kind.values() for plugin in kind.values()]


def plugins() -> Plugins:
    return Plugins.of(
        [
            *installed(),
            DestinationPlugin(
                name="broken", options=NoOptions, summary="Raises.", example="{}", build=build(BrokenDestination)
            ),
            ReaderPlugin(name="broken", options=NoOptions, summary="Raises.", example="{}", build=build(BrokenReader)),
        ]
    )


async def test_the_cause_is_kept_and_the_hub_goes_on(tmp_path: Path) -> None:
    site = SiteOnDisk(tmp_path)
    site.write("config/destinations.yaml", "erp: {broken: }\n")
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (tmp_path / name).unlink()
    text = (tmp_path / "routes/acme.yaml").read_text().replace("read: x12", "read: broken")
    site.write("routes/acme.yaml", text)
    checked = SiteFolder(tmp_path).check(plugins(), site.environ)
    assert checked.site is not None, checked.findings
    with (tmp_path / "hub.log").open("w", buffering=1) as stream:
        hub = RunningHub(
            SiteFolder(tmp_path),
            checked.site,
            plugins(),
            make_logger(json=True, stream=stream),
            SystemClock(),
            site.environ,
        )
        await hub.start()
        try:
            decisions = Decisions(hub.journal)
            for number in ("1", "2"):
                site.drop(f"{number}.json", order(number))
                site.drop(f"{number}.edi", b"ISA " + number.encode(), "var/edi")

                async def both(expected: int = int(number)) -> bool:
                    now = hub.runtime.clock()
                    counts = [await decisions.count_dead(DeadFilter(kind=kind), now) for kind in ("route", "source")]
                    return counts == [expected, expected]

                await eventually(both)
            found = await decisions.dead_letters(DeadFilter(), hub.runtime.clock())
            assert {row.error for row in found} == {"KeyError", "DecodeError"}
            assert any("not my fault" in row.cause for row in found)
            assert any("ZeroDivisionError: oh" in row.cause for row in found)
        finally:
            await hub.stop(5.0)
