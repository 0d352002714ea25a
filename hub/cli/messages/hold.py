"""`hub hold list|show|release|reject|delivered`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from hub.cli.messages.dead_choice import refuse_empty
from hub.cli.shell.no_match import none_fits
from hub.cli.shell.output import FOUND, AsJson, age, entry, fail, moment, one_line, out, print_json, say, status
from hub.cli.site import HERE, SiteDir, command, with_journal
from hub.core.hold import HoldStatus
from hub.journal.deliveries.decisions import Decisions
from hub.journal.journal import Journal
from hub.journal.rows import HoldRow

commands = typer.Typer(help="Documents that wait for somebody's decision.", no_args_is_help=True)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or how they begin.")]


@commands.command("list")
def list_(
    site: SiteDir = HERE,
    name: Annotated[str | None, typer.Option(help="Only this hold, as config/policies.yaml calls it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lists holds, oldest first. Example: hub hold list --name credit_hold"""
    wanted = () if every else (HoldStatus.OPEN, HoldStatus.RELEASING)

    async def work(journal: Journal) -> tuple[list[HoldRow], float]:
        return await Decisions(journal).holds(wanted, name=name), journal.clock()

    rows, now = with_journal(site, work)
    if as_json:
        print_json({"count": len(rows), "holds": [as_dict(row) for row in rows]})
        return
    if not rows:
        others = with_journal(site, lambda journal: Decisions(journal).holds(wanted)) if name is not None else []
        if others:
            say(none_fits("hold", {"name": name}, {"name": [row.name for row in others]}, len(others)), "yellow")
        else:
            say("nothing is on hold" if not every else "nothing ever was on hold", "green")
        return
    for row in rows:
        what = " ".join(part for part in (row.partner, row.number) if part)
        head = (row.id[:12], age(now - row.held_at), status(row.status), row.name, f"for {row.owner}", due(row, now))
        entry((*head, f"{row.route} -> {row.destination}", what), row.cause[:300])
    say(
        "send it: hub hold release ID; end it: hub hold reject ID --reason ...; it has arrived: hub hold delivered ID"
        " --reason ..."
    )


def due(row: HoldRow, now: float) -> Text:
    if row.due_at is None or row.status != HoldStatus.OPEN:
        return Text("")
    if row.due_at < now:
        return Text(f"overdue by {age(now - row.due_at)}", style="red")
    return Text(f"due in {age(row.due_at - now)}")


@commands.command()
def show(
    id: Annotated[str, typer.Argument(help="The id, or how it begins.")], site: SiteDir = HERE, as_json: AsJson = False
) -> None:
    """Shows one hold with the document it keeps. Example: hub hold show 81c0"""

    async def work(journal: Journal) -> tuple[list[HoldRow], bytes]:
        found = await Decisions(journal).holds((), (id,))
        if len(found) != 1:
            return found, b""
        return found, b"".join((await journal.claim_body(found[0].body)).chunks())

    found, body = with_journal(site, work)
    if len(found) != 1:
        fail(f"no hold begins with {id!r}" if not found else f"several holds begin with {id!r}")
    row = found[0]
    if as_json:
        print_json({**as_dict(row), "content": body.decode("utf-8", "replace")})
        return
    times = {name: moment(getattr(row, name)) for name in ("held_at", "due_at", "decided_at")}
    for name, value in (as_dict(row) | times).items():
        if value not in (None, ""):
            out.print(Text(f"{name:13}", style="bold"), Text(one_line(value)))
    say("")
    say(body[:4000].decode("utf-8", "replace"))


@commands.command()
def release(
    ids: Ids,
    site: SiteDir = HERE,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Sends held documents again, each under a new idempotency key; what is `unconfirmed` goes as it was. Example: hub
    hold release 81c0 --reason 'paid'"""
    refuse_empty(ids)
    report(command(site, "hold.release", {"ids": ids, "reason": reason}, 60.0), HoldStatus.RELEASED, as_json)


@commands.command()
def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")],
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Ends held documents: they are not sent, and their once-key is free. Example: hub hold reject 81c0 --reason 'no
    credit'"""
    refuse_empty(ids)
    report(command(site, "hold.reject", {"ids": ids, "reason": reason}, 60.0), HoldStatus.REJECTED, as_json)


@commands.command()
def delivered(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why, for example who said so; kept in the journal.")],
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Ends documents that may have been delivered (hold `unconfirmed`): the partner has them. Example: hub hold
    delivered 81c0 --reason 'Jo at ACME has it'"""
    refuse_empty(ids)
    report(command(site, "hold.confirm", {"ids": ids, "reason": reason}, 60.0), HoldStatus.DELIVERED, as_json)


def report(result: dict[str, Any], word: str, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        say(f"{result[word]} {word}", "green" if result[word] else None)
        for reason in result["skipped"]:
            say(f"skipped: {reason}", "yellow")
    raise typer.Exit(0 if result[word] or not result["skipped"] else FOUND)


def as_dict(row: HoldRow) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "headers"}
