"""`hub batch list|dissolve`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.messages.dead_choice import refuse_empty
from hub.cli.messages.hold import report
from hub.cli.shell.output import AsJson, age, entry, print_json, say
from hub.cli.site import HERE, SiteDir, command, with_journal
from hub.journal.batches.batches import Batches, WaitingBatch
from hub.journal.journal import Journal
from hub.journal.rows import StuckBatch

commands = typer.Typer(help="Documents that wait to go together, and batches that have not left.", no_args_is_help=True)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of batches, or how they begin.")]


@commands.command("list")
def list_(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Lists what waits for a batch, and batches that are not published yet, with the cause. Example: hub batch list"""

    async def work(journal: Journal) -> tuple[list[WaitingBatch], list[StuckBatch], float]:
        batches = Batches(journal)
        return await batches.waiting(), await batches.stuck(), journal.clock()

    waiting, stuck, now = with_journal(site, work)
    if as_json:
        shown = {"waiting": [waiting_as_dict(one) for one in waiting], "batches": [row._asdict() for row in stuck]}
        print_json(shown)
        return
    for one in waiting:
        what = f"{one.count} {one.document.partition('@')[0]} for {one.partner} -> {one.destination}"
        entry(("waiting", what), f"the oldest since {age(now - one.oldest)}" + (", test" if one.test else ""))
    for row in stuck:
        what = f"{row.members} {row.document.partition('@')[0]} for {row.partner} -> {row.destination}"
        entry((row.id[:12], what, f"closed {age(now - row.closed_at)} ago"), row.cause or "about to be published")
    if not waiting and not stuck:
        say("nothing waits for a batch", "green")
    if stuck:
        say("send its documents one by one: hub batch dissolve ID --reason ...")


@commands.command()
def dissolve(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")],
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Takes a batch apart that can't leave: each of its documents goes alone. Example: hub batch dissolve 81c0 --reason
    'bad file'"""
    refuse_empty(ids)
    report(command(site, "batch.dissolve", {"ids": ids, "reason": reason}, 60.0), "dissolved", as_json)


def waiting_as_dict(one: WaitingBatch) -> dict[str, Any]:
    """What waits, for programs."""
    return {name: getattr(one, name) for name in WaitingBatch.__dataclass_fields__}
