"""`hub waiting list`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from hub.cli.shell.output import AsJson, age, entry, print_json, say
from hub.cli.site import HERE, SiteDir, with_journal
from hub.journal.copies.wait import Wait, WaitingCopies
from hub.journal.copies.waits import Waits
from hub.journal.journal import Journal

commands = typer.Typer(help="Copies that wait for an endpoint or another message.", no_args_is_help=True)


@commands.command("list")
def list_(
    site: SiteDir = HERE,
    limit: Annotated[int, typer.Option(help="How many copies at most.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists what copies wait for, and the copies, the oldest first. Example: hub waiting list --limit 10"""

    async def work(journal: Journal) -> tuple[list[WaitingCopies], list[Wait], float]:
        waits = Waits(journal)
        return await waits.counts(), await waits.oldest(limit), journal.clock()

    counts, copies, now = with_journal(site, work)
    if as_json:
        hidden = ("headers", "body", "process")
        shown = [{name: value for name, value in one._asdict().items() if name not in hidden} for one in copies]
        print_json({"waiting": [asdict(one) for one in counts], "copies": shown})
        return
    if not counts:
        say("no copy waits", "green")
        return
    for one in counts:
        what = f"{one.count} for {one.waits_for or 'other messages with the same once-key'}"
        entry(("waiting", one.reason, what), f"the oldest for {age(now - one.oldest)}")
    for copy in copies:
        named = " ".join(part for part in (copy.partner, copy.number) if part)
        head = (copy.document_id[:12], age(now - copy.since), copy.reason, f"{copy.route} -> {copy.destinations}")
        entry((*head, named), copy.text[:300])
