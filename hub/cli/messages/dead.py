"""`hub dead list|show|replay|discard`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.cli.messages.dead_choice import (
    All,
    Destination,
    DryRun,
    Error,
    Ids,
    Kind,
    Newer,
    Older,
    Owner,
    Partner,
    Route,
    Source,
    arguments,
    kind_of,
    known_names,
    names_of,
    selected,
    span,
)
from hub.cli.messages.dead_view import as_dict, list_entry, properties
from hub.cli.shell.no_match import none_fits
from hub.cli.shell.output import FOUND, AsJson, fail, one_line, out, print_json, say
from hub.cli.site import HERE, SiteDir, command, with_journal
from hub.core.dead_letter import DeadStatus
from hub.core.errors import ClaimMissing
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.journal import Journal
from hub.journal.rows import DeadLetterFound

commands = typer.Typer(
    help="Messages that can't proceed: find them, understand them, send them again.", no_args_is_help=True
)


def rows_of(site: Any, wanted: DeadFilter, limit: int) -> tuple[list[DeadLetterFound], int, float]:
    """So many of them, how many there are, and the time by which they were chosen."""

    async def work(journal: Journal) -> tuple[list[DeadLetterFound], int, float]:
        decisions, now = Decisions(journal), journal.clock()
        return await decisions.dead_letters(wanted, now, limit), await decisions.count_dead(wanted, now), now

    return with_journal(site, work)


@commands.command("list")
def list_(
    site: SiteDir = HERE,
    route: Route = None,
    source: Source = None,
    destination: Destination = None,
    error: Error = None,
    partner: Partner = None,
    kind: Kind = None,
    older: Older = None,
    newer: Newer = None,
    owner: Owner = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that were replayed, discarded or overtaken.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Lists dead letters, oldest first. Example: hub dead list --route acme-orders --error timeout --newer 4h"""
    wanted = DeadFilter(
        kind=kind_of(kind),
        route=route,
        source=source,
        destination=destination,
        error=error,
        partner=partner,
        older=span(older),
        newer=span(newer),
        owner=owner,
        status=() if every else (DeadStatus.DEAD, DeadStatus.REPLAYING),
    )
    rows, count, now = rows_of(site, wanted, limit)
    if as_json:
        print_json({"count": count, "dead_letters": [as_dict(row) for row in rows]})
        return
    if not rows:
        others, count, _ = rows_of(site, DeadFilter(status=wanted.status), 100_000)
        if others:
            say(none_fits("dead letter", names_of(wanted), known_names(others), count), "yellow")
        else:
            say("no dead letters" if not every else "there never was a dead letter", "green")
        return
    for row in rows:
        list_entry(row, now)
    if count > len(rows):
        say(f"{len(rows)} of {count}; --limit shows more")
    say("look closer: hub dead show ID; send again: hub dead replay ID")


@commands.command()
def show(
    id: Annotated[str, typer.Argument(help="The id, or how it begins.")], site: SiteDir = HERE, as_json: AsJson = False
) -> None:
    """Shows one dead letter: cause, headers, and the body as it would be sent again. Example: hub dead show 3fa2"""

    async def work(journal: Journal) -> tuple[list[DeadLetterFound], list[DeadLetterFound], bytes]:
        decisions, now = Decisions(journal), journal.clock()
        found = await decisions.dead_letters(DeadFilter((id,), status=()), now, 2)
        if len(found) != 1:
            return found, [], b""
        try:
            body = b"".join((await journal.claim_body(found[0].body)).chunks())
        except ClaimMissing as error:
            body = str(error).encode()
        everything = await decisions.dead_letters(DeadFilter(status=()), now, 100_000)
        return found, [row for row in everything if row.parent == found[0].id], body

    found, children, body = with_journal(site, work)
    if len(found) != 1:
        fail(f"no dead letter begins with {id!r}" if not found else f"several dead letters begin with {id!r}")
    row = found[0]
    if as_json:
        text = body.decode("utf-8", "replace")
        print_json(
            {**as_dict(row), "headers": row.headers, "content": text, "children": [child.id for child in children]}
        )
        return
    lines = [*properties(row).items(), *(("child", f"{child.id} ({child.status})") for child in children)]
    for name, value in lines:
        if value not in (None, ""):
            out.print(Text(f"{name:13}", style="bold"), Text(one_line(value)))
    say("")
    say(body[:4000].decode("utf-8", "replace") + (f"\n... {len(body) - 4000} bytes more" if len(body) > 4000 else ""))


@commands.command()
def replay(
    ids: Ids = None,
    site: SiteDir = HERE,
    route: Route = None,
    source: Source = None,
    destination: Destination = None,
    error: Error = None,
    partner: Partner = None,
    kind: Kind = None,
    older: Older = None,
    newer: Newer = None,
    owner: Owner = None,
    every: All = False,
    render: Annotated[
        bool,
        typer.Option(
            "--render", help="Render anew, under a new key, even where the far end may have seen the old one."
        ),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(metavar="DESTINATION", help="Send to this destination instead, say because theirs was renamed."),
    ] = None,
    dry_run: DryRun = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the hub.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Sends dead letters again, only to the destinations still open. Twice never sends twice.

    Examples: hub dead replay 3fa2; hub dead replay --route acme-orders --error timeout --dry-run
    """
    wanted = selected(ids, every, kind, route, source, destination, error, partner, older, newer, owner)
    if dry_run:
        preview(site, wanted, DeadStatus.REPLAYED, as_json)
        return
    result = command(site, "dead.replay", {**arguments(wanted), "render": render, "to": to}, timeout)
    report(result, DeadStatus.REPLAYED, as_json)
    if not as_json and (again := dead_again(site, result["ids"])):
        say(f"{again} of them {'is' if again == 1 else 'are'} dead again: see hub dead list", "yellow")
    raise typer.Exit(FOUND if wanted.ids and not result[DeadStatus.REPLAYED] else 0)


@commands.command()
def discard(
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")],
    ids: Ids = None,
    site: SiteDir = HERE,
    route: Route = None,
    source: Source = None,
    destination: Destination = None,
    error: Error = None,
    partner: Partner = None,
    kind: Kind = None,
    older: Older = None,
    newer: Newer = None,
    owner: Owner = None,
    every: All = False,
    dry_run: DryRun = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the hub.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Ends dead letters for good; they stay in the journal. Example: hub dead discard 3fa2 --reason 'sent by phone'"""
    wanted = selected(ids, every, kind, route, source, destination, error, partner, older, newer, owner)
    if dry_run:
        preview(site, wanted, DeadStatus.DISCARDED, as_json)
        return
    result = command(site, "dead.discard", {**arguments(wanted), "reason": reason}, timeout)
    report(result, DeadStatus.DISCARDED, as_json)
    raise typer.Exit(FOUND if wanted.ids and not result[DeadStatus.DISCARDED] else 0)


def dead_again(site: Any, replayed: Sequence[str]) -> int:
    """How many died again at once: what can't be read, or has no route, dies while the command is carried out."""
    if not replayed:
        return 0
    rows, _, _ = rows_of(site, DeadFilter(), 100_000)
    return len({row.parent for row in rows} & set(replayed))


def preview(site: Any, wanted: DeadFilter, word: str, as_json: bool) -> None:
    rows, refused = with_journal(site, lambda journal: Decisions(journal).chosen_dead(wanted, journal.clock()))
    count = len(rows)
    if as_json:
        found = [as_dict(row) for row in rows]
        print_json({"dry_run": True, "count": count, "dead_letters": found, "skipped": dict.fromkeys(refused, 1)})
        return
    for text in refused:
        say(f"skipped: {text}", "yellow")
    for row in rows[:50]:
        say(
            f"{row.id[:12]} {row.route or row.source or row.kind} {row.destinations} {row.partner or ''}"
            f" {row.number or ''}"
        )
    say(f"{count} would be {word}; nothing was done")


def report(result: dict[str, Any], word: str, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    say(f"{result[word]} {word}", "green" if result[word] else None)
    for reason, count in result["skipped"].items():
        say(f"{count} skipped: {reason}", "yellow")
    if not result[word] and not result["skipped"]:
        say("nothing matches: no dead letter that is still open (hub dead list --all shows the others)")
