"""`hub dead list|show|replay|discard`."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.cli.output import FOUND, AsJson, age, entry, fail, moment, out, print_json, printable, say, status
from hub.cli.site import HERE, SiteDir, command, with_journal
from hub.core.duration import seconds
from hub.core.errors import ClaimMissing
from hub.journal.decisions import DeadFilter, Decisions
from hub.journal.journal import Journal

commands = typer.Typer(
    help="Messages that can't proceed: find them, understand them, send them again.", no_args_is_help=True
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or how they begin.")]
Route = Annotated[str | None, typer.Option(help="Only of this route.")]
Source = Annotated[str | None, typer.Option(help="Only of this source.")]
Destination = Annotated[str | None, typer.Option(help="Only those still open for this destination.")]
Error = Annotated[str | None, typer.Option(help="Only with this class of error, or with this text in the cause.")]
Partner = Annotated[str | None, typer.Option(help="Only of this partner.")]
Kind = Annotated[str | None, typer.Option(help="route, source (unreadable) or unmatched.")]
Older = Annotated[str | None, typer.Option(metavar="AGE", help="Only older than this: 30m, 4h, 2d.")]
Newer = Annotated[str | None, typer.Option(metavar="AGE", help="Only newer than this.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
All = Annotated[bool, typer.Option("--all", help="Really all, where no filter is given.")]


def kind_of(text: str | None) -> str | None:
    if text not in (None, "route", "source", "unmatched"):
        raise typer.BadParameter(f"{text!r} is no kind; one of route, source, unmatched")
    return text


def span(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def rows_of(site: Any, wanted: DeadFilter, limit: int) -> tuple[list[Any], int]:
    async def work(journal: Journal) -> tuple[list[Any], int]:
        decisions, now = Decisions(journal), time.time()
        return await decisions.dead_letters(wanted, now, limit), await decisions.count_dead(wanted, now)

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
    every: Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Lists dead letters, oldest first. Example: hub dead list --route acme-orders --error timeout --newer 4h"""
    wanted = DeadFilter(
        *((), kind_of(kind), route, source, destination, error, partner, span(older), span(newer)),
        status=() if every else ("dead", "replaying"),
    )
    rows, count = rows_of(site, wanted, limit)
    if as_json:
        print_json({"count": count, "dead_letters": [as_dict(row) for row in rows]})
        return
    if not rows:
        say("no dead letters" if not every else "there never was a dead letter", "green")
        return
    now = time.time()
    for row in rows:
        where = f"{row.kind} {row.route or row.source or ''}" + (f" -> {row.destinations}" if row.destinations else "")
        what = " ".join(part for part in (row.partner, row.number) if part)
        tries = f"{row.attempts} attempts" if row.attempts > 1 else "1 attempt"
        head = (row.id[:12], age(now - row.dead_at), status(row.status), where, what, tries)
        entry(head, f"{row.error}: {row.cause[:300]}")
    if count > len(rows):
        say(f"{len(rows)} of {count}; --limit shows more")
    say("look closer: hub dead show ID; send again: hub dead replay ID")


@commands.command()
def show(
    id: Annotated[str, typer.Argument(help="The id, or how it begins.")], site: SiteDir = HERE, as_json: AsJson = False
) -> None:
    """Shows one dead letter: cause, headers, and the body as it would be sent again. Example: hub dead show 3fa2"""

    async def work(journal: Journal) -> tuple[list[Any], list[Any], bytes]:
        decisions, now = Decisions(journal), time.time()
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
    facts = as_dict(row) | {"dead_at": moment(row.dead_at), "decided_at": moment(row.decided_at)}
    for name, value in facts.items():
        if value not in (None, ""):
            out.print(Text(f"{name:13}", style="bold"), Text(printable(value)))
    for child in children:
        out.print(Text(f"{'child':13}", style="bold"), Text(f"{child.id} ({child.status})"))
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
    every: All = False,
    render: Annotated[
        bool,
        typer.Option(
            "--render", help="Render anew, under a new key, even where the far end may have seen the old one."
        ),
    ] = False,
    dry_run: DryRun = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the hub.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Sends dead letters again, only to the destinations still open. Twice never sends twice.

    Examples: hub dead replay 3fa2; hub dead replay --route acme-orders --error timeout --dry-run
    """
    wanted = selected(ids, every, kind, route, source, destination, error, partner, older, newer)
    if dry_run:
        preview(site, wanted, "replayed", as_json)
        return
    result = command(site, "dead.replay", {**arguments(wanted), "render": render}, timeout)
    report(result, "replayed", as_json)
    raise typer.Exit(FOUND if wanted.ids and not result["replayed"] else 0)


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
    every: All = False,
    dry_run: DryRun = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the hub.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Ends dead letters for good; they stay in the journal. Example: hub dead discard 3fa2 --reason 'sent by phone'"""
    wanted = selected(ids, every, kind, route, source, destination, error, partner, older, newer)
    if dry_run:
        preview(site, wanted, "discarded", as_json)
        return
    result = command(site, "dead.discard", {**arguments(wanted), "reason": reason}, timeout)
    report(result, "discarded", as_json)
    raise typer.Exit(FOUND if wanted.ids and not result["discarded"] else 0)


def selected(
    ids: list[str] | None,
    every: bool,
    kind: str | None,
    route: str | None,
    source: str | None,
    destination: str | None,
    error: str | None,
    partner: str | None,
    older: str | None,
    newer: str | None,
) -> DeadFilter:
    """The filter; nothing at all selects nothing, unless --all says so."""
    made = DeadFilter(
        *(tuple(ids or ()), kind_of(kind), route, source, destination, error, partner, span(older), span(newer)),
    )
    if made == DeadFilter() and not every:
        fail("say which: ids, a filter, or --all", 2)
    return made


def arguments(wanted: DeadFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in DeadFilter.__dataclass_fields__ if name != "status"}


def preview(site: Any, wanted: DeadFilter, word: str, as_json: bool) -> None:
    rows, count = rows_of(site, wanted, 100_000)
    if as_json:
        print_json({"dry_run": True, "count": count, "dead_letters": [as_dict(row) for row in rows]})
        return
    for row in rows[:50]:
        say(
            f"{row.id[:12]} {row.route or row.source or row.kind} {row.destinations} {row.partner or ''} {row.number or ''}"
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


def as_dict(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "headers"}
