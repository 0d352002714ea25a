"""Which dead letters a command means: the options that all of them have, and the filter that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub.cli.shell.output import fail
from hub.core.options.duration import seconds
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.rows import DeadLetterFound

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or how they begin.")]
Route = Annotated[str | None, typer.Option(help="Only of this route.")]
Source = Annotated[str | None, typer.Option(help="Only of this source.")]
Destination = Annotated[str | None, typer.Option(help="Only those still open for this destination.")]
Error = Annotated[str | None, typer.Option(help="Only with this class of error, or with this text in the cause.")]
Partner = Annotated[str | None, typer.Option(help="Only of this partner.")]
Owner = Annotated[str | None, typer.Option(help="Only those that this owner answers for.")]
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
    owner: str | None,
) -> DeadFilter:
    """The filter; nothing at all selects nothing, unless --all says so."""
    made = DeadFilter(
        ids=tuple(ids or ()),
        kind=kind_of(kind),
        route=route,
        source=source,
        destination=destination,
        error=error,
        partner=partner,
        older=span(older),
        newer=span(newer),
        owner=owner,
    )
    refuse_empty(made.ids)
    if made == DeadFilter() and not every:
        fail("say which: ids, a filter, or --all", 2)
    return made


def refuse_empty(ids: Sequence[str]) -> None:
    """An empty id comes from a shell variable that is not set, and begins every id."""
    if "" in ids:
        fail("an id is empty: is the shell variable set that should hold it?", 2)


NAMES = ("route", "source", "partner", "owner", "destination")
"""The options that are names."""


def names_of(wanted: DeadFilter) -> dict[str, str | None]:
    return {name: getattr(wanted, name) for name in NAMES}


def known_names(rows: Sequence[DeadLetterFound]) -> dict[str, list[str]]:
    """The names that dead letters have, by option."""
    known = {name: [getattr(row, name) for row in rows] for name in NAMES if name != "destination"}
    return {**known, "destination": [each for row in rows for each in row.destinations.split(",")]}


def arguments(wanted: DeadFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in DeadFilter.__dataclass_fields__ if name != "status"}
