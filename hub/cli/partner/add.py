"""`hub partner add`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.app.x12.partner_draft import objections, put
from hub.app.x12.partner_scaffold import PartnerScaffold, scaffold
from hub.cli.shell.output import FOUND, AsJson, err, fail, print_json, printable
from hub.cli.shell.site_option import HERE, SiteDir, disk_error
from hub.cli.x12.file import File, opened, watched
from hub.configuration.draft import NAME_PATTERN
from hub.configuration.files.finding import SiteFinding
from hub.core.errors import ConfigError
from hub.core.ports import Body
from transformers.x12.envelope.scan import events
from transformers.x12.terms.observation import Observation, observe


def add(
    file: File,
    site: SiteDir = HERE,
    name: Annotated[str | None, typer.Option(help="What the partner shall be called: ACME.")] = None,
    sender: Annotated[
        str | None, typer.Option(metavar="QUALIFIER/ID", help="Only this sender, where the file has several.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write config/partners/<name>.yaml; never over a file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Drafts the agreement with a partner from a sample file that they sent.

    The file to be goes to stdout, what was seen to stderr. Exit code 1 when it can't stand in the site as it is.
    Example: hub partner add their-850.edi --name ACME --write
    """
    if name is not None and not NAME_PATTERN.fullmatch(name):
        raise typer.BadParameter(f"{name!r}: letters, digits, - and _, beginning with a letter or digit")
    with watched(file) as body:
        observed = observe(body)
    if not observed:
        with opened(file) as body:
            fail(f"error: {file}: {_nothing(body)}")
    chosen = _chosen(observed, sender, name)
    folder, plugins = SiteFolder(site), discover()
    drafts = [scaffold(one, Path(file).name, name) for one in chosen]
    if twice := next(
        (draft.partner for n, draft in enumerate(drafts) if draft.file in [d.file for d in drafts[:n]]), None
    ):
        fail(f"error: two senders of the file would be called {twice}; take one with --sender, and say --name")
    try:
        told = [(draft, objections(folder, draft, plugins, os.environ)) for draft in drafts]
        written = write and not any(findings for _, findings in told)
        for draft in drafts if written else ():
            put(folder, draft)
    except ConfigError as error:
        fail(str(error))
    except OSError as error:
        fail(disk_error(error))
    if as_json:
        print_json({"partners": [_as_dict(draft, findings, written) for draft, findings in told]})
    else:
        for draft, findings in told:
            _tell(draft, findings, site, write, written)
    raise typer.Exit(FOUND if any(findings for _, findings in told) else 0)


def _nothing(body: Body) -> str:
    """Why there is no interchange in the file."""
    error = next((event.error for event in events(body) if event.error is not None), None)
    return str(error) if error is not None else "the file is empty"


def _chosen(observed: Sequence[Observation], sender: str | None, name: str | None) -> Sequence[Observation]:
    known = {f"{one.sender.qualifier}/{one.sender.id}": one for one in observed}
    shown = ", ".join(known)
    if sender is not None:
        if sender not in known:
            fail(f"error: the file has no sender {sender!r}; it has {shown}")
        return [known[sender]]
    if name is not None and len(known) > 1:
        fail(f"error: the file has {len(known)} senders: {shown}; say which one is {name} with --sender")
    return observed


def _as_dict(draft: PartnerScaffold, findings: Sequence[SiteFinding], written: bool) -> dict[str, Any]:
    return {
        "partner": draft.partner,
        "file": draft.file,
        "written": written,
        "yaml": draft.text,
        "seen": draft.seen,
        "findings": [finding.as_dict() for finding in findings],
    }


def _tell(draft: PartnerScaffold, findings: Sequence[SiteFinding], site: Path, write: bool, written: bool) -> None:
    for sentence in draft.seen:
        err.print(Text(printable(sentence)))
    if not write:
        typer.echo(draft.text, nl=False)
    for finding in findings:
        err.print(Text(printable(str(finding)), style="red"))
    if written:
        err.print(Text(f"wrote {site / draft.file}; next: hub partner check {draft.partner} FILE", style="green"))
    elif findings:
        err.print(Text("nothing was written" if write else f"{draft.file} could not stand in the site", style="red"))
    else:
        err.print(Text(f"{draft.file} isn't written; --write does it", style="dim"))
