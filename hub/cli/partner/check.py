"""`hub partner check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.app.x12.x12_agreements import agreement_named
from hub.cli.shell.output import FOUND, AsJson, entry, fail, print_json, say
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import File, partners_here, watched
from hub.core.errors import ConfigError, HubError
from transformers.x12.terms.departures import ADVICE, Departure, departures

MOST = 1000
"""Departures that are told one by one."""


def check(
    name: Annotated[str, typer.Argument(help="The partner, as config/partners calls it.")],
    file: File,
    site: SiteDir = HERE,
    notes: Annotated[bool, typer.Option(help="Also what the hub takes all the same.")] = True,
    as_json: AsJson = False,
) -> None:
    """Says what in a file departs from the agreement with a partner; needs no hub and changes nothing.

    Exit code 1 when anything departs. Example: hub partner check ACME their-850.edi
    """
    try:
        agreement = agreement_named(partners_here(site), name)
    except ConfigError as error:
        fail(str(error))
    with watched(file) as body:
        try:
            tally = _Tally(departures(body, agreement), notes)
        except (HubError, OSError) as error:
            fail(f"error: {file}: {error}")
    if as_json:
        print_json({"partner": name, "file": file, "ok": not tally.departures, **tally.as_dict()})
    else:
        tally.print(name, file)
    raise typer.Exit(FOUND if tally.departures else 0)


class _Tally:
    """Departures with how often each was found: what every interchange says alike is told once."""

    def __init__(self, found: Iterable[Departure], notes: bool) -> None:
        self._first: dict[Departure, Departure] = {}
        self._times: Counter[Departure] = Counter()
        self.departures = 0
        self.notes = 0
        for one in found:
            self.departures += not one.note
            self.notes += one.note
            if one.note and not notes:
                continue
            alike = one if one.kind in ("content", "accepted") and not one.note else _alike(one)
            if alike in self._first or len(self._first) < MOST:
                self._first.setdefault(alike, one)
                self._times[alike] += 1

    def as_dict(self) -> dict[str, Any]:
        told = [one.as_dict() | {"times": self._times[alike]} for alike, one in self._first.items()]
        return {"departures": self.departures, "notes": self.notes, "found": told}

    def print(self, name: str, file: str) -> None:
        for alike, one in self._first.items():
            times = f"  (and {self._times[alike] - 1} more like it)" if self._times[alike] > 1 else ""
            word = Text("note", style="dim") if one.note else Text(one.kind, style="red")
            entry((word, one.where), f"{one.text}{times}")
        kinds = dict.fromkeys(one.kind for one in self._first.values() if not one.note)
        for kind in kinds:
            say(f"what to do ({kind}): {ADVICE[kind]}")
        if self.departures:
            left = self.departures + self.notes - self._times.total()
            more = f"; {left} of them aren't listed" if left > 0 else ""
            noun = "departure" if self.departures == 1 else "departures"
            say(f"{self.departures} {noun} from the agreement with {name}{more}", "red")
        else:
            say(f"no departures: {file} is as agreed with {name}", "green")


def _alike(one: Departure) -> Departure:
    """What is the same of all of a kind, wherever they are."""
    finding = replace(one.finding, position=0, offset=None) if one.finding else None
    return replace(one, interchange=0, group=0, control_number="", finding=finding)
