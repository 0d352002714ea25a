"""`hub backup` and `hub restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.app.keeping.backup import Backup
from hub.app.keeping.kept_files import kept_by
from hub.app.keeping.restore import SKIP, Restore
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.cli.shell.output import AsJson, counted, moment, print_json, say
from hub.cli.site import HERE, SiteDir, run, settings_of

REBUILD = "the next start publishes everything that has no outcome yet from the journal"


def backup(
    target: Annotated[Path, typer.Argument(help="The folder of the backup: a new one, or an empty one.")],
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Backs up messages, journal, claims and what sources keep into a folder, while the hub runs.

    The site's own files are not in it: config/ and routes/ belong under version control. Example: hub backup
    /backup/hub-2026-12-01
    """
    found = SiteFolder(site).check(discover()).site
    kept = kept_by(found) if found is not None else ()
    made = run(Backup(SiteFolder(site), settings_of(site), kept=kept).make(target))
    if as_json:
        print_json(made.as_dict())
        return
    with_broker = "the waiting messages, " if made.broker else ""
    say(
        f"{target}: {with_broker}the history of {counted(made.messages, 'message')},"
        f" {counted(made.claim_files, 'claim file')}",
        "green",
    )
    if made.kept_files:
        say(
            f"{counted(made.kept_files, 'file')} of sources: what they have confirmed and not handed over, and their"
            " keys"
        )
    if found is None:
        say("the site has errors, see hub check: what its sources keep beside the journal is not in it", "yellow")
    if not made.broker:
        say(f"what waits in RabbitMQ is not in it: after a restore {REBUILD}")


def restore(
    source: Annotated[Path, typer.Argument(help="The folder that `hub backup` has made.")],
    site: SiteDir = HERE,
    skip_numbers: Annotated[
        int,
        typer.Option(
            min=0, help="Control numbers of each partner that are left out, because they may have been sent since."
        ),
    ] = SKIP,
    as_json: AsJson = False,
) -> None:
    """Brings a backup back to a site that has no journal yet; the hub is started afterwards.

    Example: hub restore /backup/hub-2026-12-01 --site /srv/hub
    """
    manifest, numbers = run(Restore(SiteFolder(site), settings_of(site)).run(source, skip_numbers))
    if as_json:
        print_json({**manifest.as_dict(), "control_numbers": numbers})
        return
    say(f"restored as of {moment(manifest.made_at)}: the history of {counted(manifest.messages, 'message')}", "green")
    for partner, last in numbers.items():
        say(
            f"  control numbers of {partner} go on after {last}"
            + (f" ({skip_numbers} left out)" if skip_numbers else "")
        )
    if manifest.rebuild:
        say(REBUILD)
