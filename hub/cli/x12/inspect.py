"""`hub x12 inspect`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.shell.output import FOUND, USAGE, AsJson, err, fail
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.choice import chosen, has_errors, up_to
from hub.cli.x12.file import File, piped, terms, watched
from hub.cli.x12.lines import show, tally_line
from hub.cli.x12.report import JsonReport
from hub.cli.x12.tally import SeenTally
from hub.cli.x12.tree_view import TreeView
from transformers.x12.lineage import inspection

WHOLE = 1 << 20
"""Bytes up to which every segment is shown unless something else is asked for."""


def inspect(
    file: File,
    transaction: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the Nth transaction of the file (its #N).")
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only what has errors.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Every segment, however large the file is.")] = False,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Shows a file as a tree: envelopes, loops, segments and elements with their names, codes with their meaning,
    errors in place.

    Of a file above 1 MB it shows the envelopes, how much was accepted, and what has errors; --full shows it whole.
    Memory doesn't grow with the file. Examples: hub x12 inspect orders.edi; hub x12 inspect orders.edi --transaction 3;
    hub x12 inspect - --json < orders.edi
    """
    partners, _ = terms(site, None)
    with watched(file) as body, piped():
        brief = body.size > WHOLE and not full and transaction is None and not errors
        if brief and not as_json:
            size = f"{body.size / (1 << 20):.0f} MB"
            err.print(f"a summary, because the file has {size}: --transaction N shows one, --full all", style="dim")
        tally = SeenTally()
        seen = inspection.inspect(body, partners)
        if transaction is not None:
            one = chosen(up_to(seen, transaction), lambda each: each.number == transaction, strays=False)
            seen = tally.counting(one)
        elif errors:
            seen = chosen(tally.counting(seen), has_errors)
        else:
            seen = tally.counting(seen)
        (JsonReport() if as_json else TreeView(brief=brief, only_errors=errors)).print(seen)
        if not as_json and (transaction is None or tally.statuses):
            show(tally_line(tally))
    if transaction is not None and not tally.statuses:
        fail(f"error: {file} has no transaction #{transaction}", USAGE)
    raise typer.Exit(0 if tally.good else FOUND)
