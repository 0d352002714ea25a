"""`hub x12 docs`."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import typer

from hub.app.x12.x12_sets import overlaid_description, set_list
from hub.cli.shell.output import USAGE, AsJson, fail, print_json
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import PartnerName, piped, terms
from hub.cli.x12.lines import line, show
from hub.cli.x12.set_view import SetView
from hub.core.errors import ConfigError
from hub.core.options.nearest import did_you_mean
from transformers.x12.declarations.catalogue import RELEASES, known_sets
from transformers.x12.declarations.code_names import code_name
from transformers.x12.declarations.description import ElementRow, LoopRow, Row, SetDescription
from transformers.x12.declarations.set_page import set_page

DEFAULT = "004010"


def docs(
    name: Annotated[str | None, typer.Argument(metavar="SET", help="850, 856, ...; without it a list of all.")] = None,
    release: Annotated[
        str | None, typer.Option(help="004010, 005010, ...; by default as agreed with the partner, else 004010.")
    ] = None,
    partner: PartnerName = None,
    form: Annotated[Literal["text", "markdown"], typer.Option("--format", help="How it is printed.")] = "text",
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Prints a transaction set as we know it: loops, segments and elements with usage, lengths, codes and rules, and
    where each lives in the canonical document.

    With --partner as it is between that partner and us; what their overlay changed is marked. Example: hub x12 docs 850
    --partner ACME
    """
    if name is None:
        _list(as_json)
        return
    if name not in known_sets():
        known = did_you_mean(name, known_sets()) or f"there are {', '.join(known_sets())}"
        fail(f"error: there is no declaration of {name!r} ({known})", USAGE)
    _, agreement = terms(site, partner)
    wanted = release or ((agreement.version_of(name) or "")[:6] if agreement else "") or DEFAULT
    if wanted not in RELEASES:
        raise typer.BadParameter(f"{wanted!r} isn't known; known: {', '.join(RELEASES)}", param_hint="--release")
    try:
        description = overlaid_description(name, wanted, agreement)
    except ConfigError as error:
        fail(str(error))
    _print(description, partner, form, as_json)


def _print(description: SetDescription, partner: str | None, form: str, as_json: bool) -> None:
    with piped():
        if as_json:
            print_json(set_dict(description) | {"partner": partner})
        elif form == "markdown":
            typer.echo("\n".join(set_page(description, segments=True)).rstrip())
        else:
            SetView(partner).print(description)


def _list(as_json: bool) -> None:
    known = set_list()
    if as_json:
        print_json([{"set": d.set, "name": d.name, "group": d.group, "document": d.document} for d in known])
        return
    for each in known:
        show(line(0, (each.set, "bold"), f"{each.name:<44}", f"group {each.group}", each.document))


def set_dict(description: SetDescription) -> dict[str, Any]:
    """The description for programs: `structure` from top to bottom, `depth` says what stands in which loop."""
    d = description
    return {
        **{"set": d.set, "release": d.release, "name": d.name, "group": d.group, "document": d.document},
        "source": d.source,
        "structure": [_row(row) for row in d.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    shown = dataclasses.asdict(row)
    shown["max"] = row.max or None
    if isinstance(row, LoopRow):
        return {"loop": shown.pop("id"), **shown}
    return {"segment": shown.pop("id"), **shown, "elements": [_element(element) for element in row.elements]}


def _element(row: ElementRow) -> dict[str, Any]:
    shown = dataclasses.asdict(row)
    shown["codes"] = {code: code_name(row.number, code) for code in row.codes}
    return shown | {"components": [_element(component) for component in row.components]}
