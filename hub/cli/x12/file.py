"""The file that a command looks at: opened or refused with a sentence, standard input kept so that it can be read
twice, and how far the reading of it is."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hub.app.x12.x12_agreements import agreement_named, agreements_of
from hub.cli.shell.output import USAGE, err, fail, out, printable
from hub.core.agreement import Agreement
from hub.core.errors import ConfigError
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body, FileBody

File = Annotated[str, typer.Argument(metavar="FILE", help="An X12 file; - for standard input.")]
PartnerName = Annotated[
    str | None, typer.Option("--partner", help="By the terms of this partner of the site, whoever sent the file.")
]
ControlNumber = Annotated[
    int,
    typer.Option(min=1, max=999_999_999, metavar="N", help="The first control number; none is taken from the journal."),
]

WATCHED = 4 << 20
"""Bytes from which on a terminal shows how far it is."""

NO_FILE = "no such file; give a path, or - for standard input"


SCAN, READ = 1, 8
"""What a byte costs: envelopes are scanned, transactions read and validated."""


@dataclass(slots=True)
class WatchedBody:
    """A body that tells how far its readers are. `passes`: what a byte costs in each pass over it, so that what is left
    of the work is told, not of the bytes; further passes aren't told."""

    body: Body
    advance: Callable[[int], None]
    passes: list[int]

    @property
    def size(self) -> int:
        return self.body.size

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        cost = self.passes.pop(0) if self.passes else 0
        for piece in self.body.chunks(size):
            self.advance(cost * len(piece))
            yield piece


@contextmanager
def opened(name: str) -> Iterator[Body]:
    """The body of a file, or of standard input. Ends the program when it can't be read."""
    if name == "-":
        with tempfile.NamedTemporaryFile() as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
            kept.flush()
            yield FileBody(Path(kept.name))
        return
    path = Path(name)
    try:
        with path.open("rb"):
            body = FileBody(path)
    except FileNotFoundError:
        fail(f"error: {name}: {NO_FILE}", USAGE)
    except OSError as error:
        fail(f"error: {name}: {error.strerror or error}", USAGE)
    if not path.is_file():
        fail(f"error: {name}: it is no regular file; pipe it in, with - as the file", USAGE)
    yield body


@contextmanager
def watched(name: str, passes: Sequence[int] = (SCAN, READ)) -> Iterator[Body]:
    """As `opened`; on a terminal a large file has a progress bar. `passes`: the passes over the body, by their cost."""
    with opened(name) as body:
        console = out if out.is_terminal else err
        if body.size < WATCHED or not console.is_terminal:
            yield body
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(printable(Path(name).name), total=sum(passes) * body.size)
            yield WatchedBody(body, lambda cost: progress.advance(task, cost), list(passes))


def partners_here(site: Path) -> PartnerDirectory:
    """The partners of the site. Ends the program when their files are wrong."""
    try:
        return agreements_of(site, os.environ)
    except ConfigError as error:
        fail(str(error), USAGE)


def terms(site: Path, partner: str | None) -> tuple[PartnerDirectory, Agreement | None]:
    """The partners of the site, and the one that was named. Ends the program when there is none of that name."""
    partners = partners_here(site)
    try:
        return partners, agreement_named(partners, partner) if partner else None
    except ConfigError as error:
        fail(str(error), USAGE)


@contextmanager
def piped() -> Iterator[None]:
    """A reader of our output that goes away (`| head`) ends the program quietly."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
