"""`hub x12 ack`."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer
from rich.text import Text

from hub.app.x12.x12_answers import X12Answer, answers
from hub.cli.shell.output import FOUND, AsJson, err, printable
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import READ, SCAN, ControlNumber, File, PartnerName, piped, terms, watched
from hub.cli.x12.output import write_x12
from hub.clock.system_clock import SystemClock
from hub.core.agreement import AcknowledgmentSet
from hub.core.clock import read_utc
from hub.core.errors import MappingError
from hub.documents import ApplicationAdvice, Document, to_json
from transformers.x12.envelope.scan import events

SETS: dict[str, AcknowledgmentSet] = {"997": "997", "999": "999"}
REFUSING = frozenset({"P", "R"})

PASSES = (0, SCAN, SCAN, READ)
"""A look at the line ends, the senders, the envelopes, the transactions."""


def ack(
    file: File,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="997|999", help="Which one; by default as agreed, else 997.")
    ] = None,
    partner: PartnerName = None,
    control_number: ControlNumber = 1,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Prints the acknowledgments that we would send for a file: for each group a 997 or 999, a TA1 where one is due
    (its ISA14 asks, or its envelope fails), and an 824 for each transaction that the agreement refuses for its totals.
    Each stands in an interchange of its own; with --json the canonical documents.

    Ids, version and separators are those of the agreement, else those of the file with sender and receiver exchanged.
    Nothing is sent or recorded: control numbers count up from --control-number, and none is taken from the journal.
    Exit code 1 when an acknowledgment rejects something. Example: hub x12 ack orders.edi --type 999
    """
    if kind is not None and kind not in SETS:
        raise typer.BadParameter(f"{kind!r} is no acknowledgment; 997 or 999", param_hint="--type")
    partners, agreement = terms(site, partner)
    written = True
    with watched(file, passes=PASSES) as body, piped():
        made = list(answers(body, partners, agreement, SETS[kind] if kind else None))
        if as_json:
            shown = [orjson.loads(to_json(answer.document)) for answer in made]
            sys.stdout.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            written = _print(made, control_number)
        readable = any(event.header for event in events(body)) if not made else True
    if not made:
        what = "no group that anyone acknowledges" if readable else "no interchange"
        err.print(Text(f"{printable(file)}: there is {what} in it; hub x12 inspect shows what there is"))
        raise typer.Exit(0 if readable else FOUND)
    rejected = any(_rejects(answer.document) for answer in made)
    raise typer.Exit(0 if written and not rejected else FOUND)


def _rejects(document: Document) -> bool:
    if isinstance(document, ApplicationAdvice):
        return document.rejected
    return getattr(document, "status", "A") in REFUSING


def _print(made: list[X12Answer], control_number: int) -> bool:
    """Whether all of them could be written; one that can't doesn't keep back the others."""
    now, written = read_utc(SystemClock()), True
    for number, answer in enumerate(made, control_number):
        try:
            write_x12(answer.x12(number, now))
        except MappingError as error:
            written = False
            text = f"error: the acknowledgment of {answer.document.number} can't be written: {error}"
            err.print(Text(printable(text), style="red"))
    return written
