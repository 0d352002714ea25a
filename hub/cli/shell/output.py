"""What the commands print: tables and colours on a terminal, plain text elsewhere, JSON where a program reads."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.core.dead_letter import DeadStatus
from hub.core.effect import ENDED, EffectStatus
from hub.core.hold import HoldStatus
from hub.core.network.visible import visible, visible_json
from hub.core.stage import Stage

OK, FOUND, USAGE, LATER, AWAY = 0, 1, 2, 3, 4
"""Exit codes; see `hub.cli`."""

WIDE = 10_000
"""Columns where the output is no terminal: nothing is folded, so that grep and awk see whole lines."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def printable(value: Any) -> str:
    """A text of several lines for people: what a partner sent must not steer the terminal."""
    return visible("" if value is None else str(value), keep="\n\t")


def one_line(value: Any) -> str:
    """A value for people, within a line: what a partner sent must not look like a line of ours."""
    return visible("" if value is None else str(value))


def print_json(value: Any) -> None:
    """One JSON value on stdout, without colours or wrapping."""
    made = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    typer.echo(visible_json(made))


def say(text: str, style: str | None = None) -> None:
    out.print(Text(printable(text), style=style or ""))


def note(text: str) -> None:
    """Says on stderr what a person should know beside the answer."""
    err.print(Text(printable(text), style="yellow"))


def fail(text: str, code: int = FOUND) -> NoReturn:
    """Says what is wrong on stderr and ends."""
    err.print(Text(printable(text), style="red"))
    raise typer.Exit(code)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; values are shown as they are, without markup."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else Text(one_line(value)) for value in row))
    return made


def entry(head: Sequence[Any], rest: str) -> None:
    """One entry of a list: its short parts on a line that can be read and copied at any width, the long one below;
    where the output is no terminal all on one line, for grep."""
    line = Text("  ").join(
        part if isinstance(part, Text) else Text(one_line(part)) for part in head if part not in (None, "")
    )
    if out.is_terminal:
        out.print(line)
        out.print(Text(f"    {one_line(rest)}", style="dim"))
    else:
        out.print(Text("  ").join((line, Text(one_line(rest)))))


def moment(seconds: float | None) -> str:
    """A time as people of this machine's time zone read it."""
    if seconds is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S%z", time.localtime(seconds))


def age(seconds: float) -> str:
    """How long ago: 45s, 12m, 3h, 2d."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


_S, _D = EffectStatus, DeadStatus
STYLES: dict[str, str] = {
    **dict.fromkeys((_S.DELIVERED, _S.RELEASED, _D.REPLAYED, _D.OVERTAKEN, Stage.SENT, "done", "ok"), "green"),
    **dict.fromkeys((_S.RETRYING, _S.PREPARED, _S.BATCHED, _S.HELD, _S.REPLAYING, HoldStatus.OPEN), "yellow"),
    **dict.fromkeys((Stage.WAITS, Stage.WARNING, Stage.RETRY), "yellow"),
    **dict.fromkeys((*ENDED, Stage.UNREADABLE, Stage.UNMATCHED, "error", "failed"), "red"),
}


def status(word: str) -> Text:
    return Text(word, style=STYLES.get(word, ""))


def counted(number: int, noun: str) -> str:
    """`1 route`, `2 routes`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
