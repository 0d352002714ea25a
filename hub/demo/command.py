"""The command: builds the stage, plays the scenario, shows what happens, and sums up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from hub.cli.shell.output import FOUND, AsJson, fail, out, print_json, say
from hub.cli.site import HERE, SiteDir, disk_error, with_journal
from hub.clock.system_clock import SystemClock
from hub.core.errors import HubError
from hub.demo.demo_site import DemoSite
from hub.demo.erp import Erp
from hub.demo.legacy_erp import LegacyErp
from hub.demo.peers import Peers
from hub.demo.scenario import (
    BUSY,
    EXPECTED,
    FETCHED,
    HOLDS,
    LEGACY_HOLDS,
    LOCKED,
    REFUSES,
    UPLOADED,
    Expectation,
    play,
    sets,
)
from hub.demo.view import Ticker, closer, partners, progress, summary
from hub.journal.journal import Journal
from hub.journal.story import Story
from hub.journal.timeline import Timeline


def demo(
    site: SiteDir = HERE,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the demo's own site is made anew.", show_default="var/demo"),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="A RabbitMQ node (amqp://...); without it the embedded broker.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long it may take.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Shows the sample site at work: real X12 files and a published order, and an ERP that is not always kind.

    Starts a hub of its own on a copy of the site, and on the loopback two small ERPs and a partner's SFTP server; drops
    files, publishes what internal systems say; ends with a summary of where each document went. Exit code 0 only if all
    came out as it should. Example: hub demo
    """
    target = folder or site / "var" / "demo"
    peers = Peers(
        target.with_name(f"{target.name}-peers"),
        Erp(busy=BUSY, hold=HOLDS, refuse=REFUSES),
        LegacyErp(locked=LOCKED, hold=LEGACY_HOLDS),
    )
    stage: DemoSite | None = None
    try:
        peers.start()
        stage = DemoSite(site, target, peers, broker)
        if not as_json:
            say(f"a hub of its own on {stage.site}, broker {'RabbitMQ' if broker else 'embedded'}", "bold")
        stage.start()
        bolt = peers.bolt(stage.said("sftp_server_listens", "port"), stage.said("sftp_server_key", "fingerprint"))
        play(stage, bolt)
        stories = watch(stage, seconds, quiet=as_json)
        fetched = bolt.fetch()
    except HubError as error:
        fail(str(error))
    except OSError as error:
        fail(disk_error(error))
    finally:
        code = stage.close() if stage is not None else None
        peers.close()
    uploaded = peers.cora.received
    results = [(expectation, expectation.judge(stories)) for expectation in EXPECTED]
    right = all(not problem for _, problem in results) and code == 0
    right = right and sets(fetched) == FETCHED and sets(uploaded) == UPLOADED
    if as_json:
        documents = [e.as_dict(stories, problem) for e, problem in results]
        print_json({"ok": right, "documents": documents, "fetched": sorted(fetched), "uploaded": sorted(uploaded)})
    else:
        summary(results, stories)
        partners(sorted(fetched), sorted(uploaded))
        closer(stories, stage.site, peers, right)
    raise typer.Exit(0 if right else FOUND)


def watch(stage: DemoSite, seconds: float, *, quiet: bool) -> dict[str, list[Story]]:
    """Follows the journal until everything has come out as expected, or the time is over."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    stories: dict[str, list[Story]] = {}
    ticker = Ticker()
    with Live(console=out, refresh_per_second=8, transient=True) as live:
        while clock.monotonic() < deadline:
            stories = with_journal(stage.site, lambda journal: look(journal, EXPECTED))
            if not quiet and out.is_terminal:
                live.update(progress(EXPECTED, stories))
            elif not quiet:
                ticker.update(EXPECTED, stories)
            if all(not expectation.judge(stories) for expectation in EXPECTED):
                break
            clock.pause(0.2)
    return stories


async def look(journal: Journal, expected: tuple[Expectation, ...]) -> dict[str, list[Story]]:
    timeline = Timeline(journal)
    return {expectation.value: await timeline.trace(expectation.value) for expectation in expected}
