"""What the demo shows: a live table while documents flow, and the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hub.cli.shell.output import entry, say, status
from hub.core.outcome import State
from hub.core.stage import Stage
from hub.demo.peers import Peers
from hub.demo.scenario import Expectation
from hub.journal.story import Story


def progress(expected: Sequence[Expectation], stories: Mapping[str, list[Story]]) -> Table:
    """The state of every document of the scenario."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("document", "number", "state", "attempts", "destination"):
        made.add_column(column)
    for each in expected:
        state, attempts = each.state(stories.get(each.value, []))
        made.add_row(each.what, each.value, status(state), str(attempts or ""), each.destination)
    return made


def summary(results: Sequence[tuple[Expectation, str]], stories: Mapping[str, list[Story]]) -> None:
    """Where each document went."""
    for each, problem in results:
        found = stories.get(each.value, [])
        state, attempts = each.state(found)
        tries = f"{state}, attempt {attempts}" if attempts > 1 else state
        mark = Text("ok", style="green") if not problem else Text("no", style="red")
        where = f" at {each.destination}" if each.destination else ""
        outcome = Text(f"{tries}{where}", style=str(status(state).style))
        entry((mark, Text(f"{each.value:21}"), outcome), f"{each.what}; {problem or reason(each, found)}")
    say("")


def partners(fetched: Sequence[str], uploaded: Sequence[str]) -> None:
    """What reached the partners, as they see it."""
    say(f"BOLT fetched from the hub's drop box: {', '.join(fetched) or 'nothing'}")
    say(f"CORA has on its SFTP server: {', '.join(uploaded) or 'nothing'}")


def closer(stories: Mapping[str, list[Story]], site: Path, peers: Peers, right: bool) -> None:
    """What the ERPs saw, how to look closer, and the verdict."""
    for name, erp in (("the ERP", peers.erp), ("the older ERP", peers.legacy)):
        say(f"{name} saw {sum(erp.seen.values())} requests and took {len(erp.taken)} orders, each once")
    say("")
    say("look closer:", "bold")
    held = next((hold.id[:12] for found in stories.values() for story in found for hold in story.holds), "ID")
    dead = next(
        (letter.id[:12] for found in stories.values() for story in found for letter in story.dead_letters), "ID"
    )
    for command in (
        "trace 104587",
        "trace B-5501",
        "hold list",
        f"hold show {held}",
        "dead list",
        f"dead show {dead}",
        "partner numbers ACME",
    ):
        say(f"  .venv/bin/hub {command} --site {site}")
    say("")
    say(
        "all came out as it should" if right else "NOT all came out as it should", "bold green" if right else "bold red"
    )


def reason(expected: Expectation, found: Sequence[Story]) -> str:
    """One short sentence of the journal about the outcome."""
    for story in found:
        for hold in story.holds:
            if hold.destination == expected.destination:
                return f"{hold.name}, waits for {hold.owner}"
        for letter in story.dead_letters if expected.status in (State.DEAD, State.UNREADABLE, State.UNMATCHED) else ():
            return str(letter.cause)[:110]
    texts = [
        event.text or ""
        for story in found
        for event in story.events
        if event.stage == Stage.SENT and event.destination == expected.destination
    ]
    return texts[-1] if texts else ""


class Ticker:
    """Where there is no terminal: a line whenever the state of a document changes."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], str] = {}

    def update(self, expected: Sequence[Expectation], stories: Mapping[str, list[Story]]) -> None:
        for each in expected:
            state, attempts = each.state(stories.get(each.value, []))
            key = (each.value, each.destination)
            if self._states.get(key, "on its way") != state:
                where = f" at {each.destination}" if each.destination else ""
                say(f"  {each.value}: {state}{where}" + (f", attempt {attempts}" if attempts > 1 else ""))
            self._states[key] = state
