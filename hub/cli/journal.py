"""`hub journal copy`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hub.app.keeping.journal_copy import JournalCopy, JournalStore
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.cli.shell.output import AsJson, counted, err, print_json, say
from hub.cli.site import HERE, SiteDir, run, settings_of
from hub.journal.database.urls import engine_url, show_url

commands = typer.Typer(help="The journal: the history of every message.", no_args_is_help=True)


@commands.command()
def copy(
    site: SiteDir = HERE,
    source: Annotated[str, typer.Option("--from", help="The journal that holds the history.")] = "var/hub.db",
    from_claims: Annotated[str, typer.Option(help="The folder of its large claims.")] = "var/claims",
    target: Annotated[
        str | None, typer.Option("--to", help="The new journal; without it that of config/hub.yaml.")
    ] = None,
    to_claims: Annotated[
        str | None, typer.Option(help="The folder of its large claims; without it that of config/hub.yaml.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copies the whole history to another, empty journal, while no hub runs: keys, control numbers, effects, holds,
    events, bodies.

    All or nothing: counts and checksums of every table are compared before the commit. Example: hub journal copy --from
    var/hub.db
    """
    folder, settings = SiteFolder(site), settings_of(site)
    old = JournalStore(place(folder, source), folder.resolve(from_claims))
    new = JournalStore(
        place(folder, target) if target else journal_url(folder, settings),
        folder.resolve(to_claims or settings.claims),
    )

    def progress(table: str, rows: int) -> None:
        if not as_json and os.isatty(2):
            err.print(f"{table}: {rows}", end="\r", markup=False)

    done, claims = run(JournalCopy(folder, old, new, progress).run())
    if as_json:
        print_json(
            {
                "from": show_url(engine_url(old.journal)),
                "to": show_url(engine_url(new.journal)),
                "rows": done.rows,
                "tables": done.tables,
                "claim_files": claims,
                "checksum": done.checksum,
            }
        )
        return
    say(f"{show_url(engine_url(old.journal))} -> {show_url(engine_url(new.journal))}")
    for table, rows in done.tables.items():
        if rows:
            say(f"  {table:22} {rows}")
    files = f", {counted(claims, 'claim file')}" if claims else ""
    say(f"{counted(done.rows, 'row')}{files}; counts and checksums are equal ({done.checksum[:16]})", "green")


def place(folder: SiteFolder, name: str) -> str:
    return name if "://" in name else str(folder.resolve(name)) if not Path(name).is_absolute() else name
