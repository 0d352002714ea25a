"""`hub x12 validate`."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from hub.cli.shell.output import FOUND, AsJson
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import File, PartnerName, piped, terms, watched
from hub.cli.x12.lines import error_line, line, show, tally_line, transaction_line, warning_line
from hub.cli.x12.report import JsonReport
from hub.cli.x12.tally import SeenTally
from transformers.x12.lineage.inspection import GroupSeen, InterchangeSeen, Seen, Stray, TransactionSeen, inspect


def validate(file: File, partner: PartnerName = None, site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Says of each transaction whether it is accepted, and all that is wrong with it.

    By the terms of the sender's agreement with its overlays, where the site has one, or of --partner. Error codes are
    those of AK304, AK403, AK502, AK905 and TA105. Example: hub x12 validate orders.edi --partner ACME
    """
    partners, agreement = terms(site, partner)
    with watched(file) as body, piped():
        tally = SeenTally()
        (JsonReport() if as_json else VerdictView()).print(tally.counting(inspect(body, partners, agreement)))
        if not as_json:
            show(tally_line(tally))
    raise typer.Exit(0 if tally.good else FOUND)


class VerdictView:
    """A line for each transaction, and what is wrong with it below."""

    def print(self, seen: Iterable[Seen]) -> None:
        for one in seen:
            self._take(one)

    @staticmethod
    def _take(one: Seen) -> None:
        match one:
            case InterchangeSeen():
                for text in one.warnings:
                    show(warning_line(f"interchange {one.elements[13]}: {text}", 0))
                if one.refusal:
                    show(line(0, (f"interchange {one.elements[13]}", "bold"), ("rejected", "red")))
                    show(error_line(one.refusal, 1, placed=False))
            case GroupSeen() if one.refusal:
                show(line(0, (f"group {one.element(6)}", "bold"), ("rejected", "red")))
                show(error_line(one.refusal, 1, placed=False))
            case TransactionSeen():
                show(transaction_line(one, 0))
                for finding in one.findings:
                    show(error_line(finding, 2, placed=False))
                for text in one.read.warnings:
                    show(warning_line(text, 2))
            case Stray():
                show(error_line(one.finding, 0, placed=False))
            case _:
                pass
