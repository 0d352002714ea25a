"""`hub partner list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from hub.app.site_folder import SiteFolder
from hub.app.x12.x12_agreements import agreement_named
from hub.cli.shell.output import AsJson, fail, out, print_json, say, table
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import partners_here
from hub.core.agreement import ALL_SETS, Agreement, InterchangeId
from hub.core.errors import ConfigError
from hub.core.topology import delay_name

COLUMNS = ("partner", "ids", "version", "receive", "send", "we acknowledge", "they acknowledge", "overlays")
NONE = "no partners: `hub partner add FILE` drafts one from a file that they sent, --write puts it into config/partners"


def partners(
    name: Annotated[str | None, typer.Argument(help="Only this one; without it all of the site.")] = None,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Lists the partners of the site with their terms: ids, versions, sets, acknowledgments, overlays. Needs no hub.

    Example: hub partner list --json
    """
    known = partners_here(site)
    try:
        if not known.names:
            SiteFolder(site).files()  # outside a site there is no answer
        chosen = [agreement_named(known, one) for one in (known.names if name is None else (name,))]
    except ConfigError as error:
        fail(str(error))
    if as_json:
        print_json({"partners": [as_dict(each) for each in chosen]})
    elif not chosen:
        say(NONE)
    else:
        out.print(table(COLUMNS, map(row, chosen)))


def row(agreement: Agreement) -> tuple[str, ...]:
    """One partner for people. What isn't agreed is said as what then happens."""
    a = agreement
    return (
        a.partner,
        ", ".join(map(_id, a.ids)) or "-",
        ", ".join(
            (a.version or "any", *(f"{version} for {name}" for name, version in a.versions.items()), *_read_as(a))
        ),
        ", ".join(a.receive) or "every set",
        ", ".join(a.send) or "what a document needs",
        _acknowledge(a),
        _expected(a),
        ", ".join(f"{name} ({len(rules)})" for name, rules in a.overlays.items()) or "-",
    )


def _read_as(agreement: Agreement) -> Iterator[str]:
    for name, version in agreement.read_as.items():
        yield f"theirs read as {version}" if name == ALL_SETS else f"their {name} read as {version}"


def _id(one: InterchangeId) -> str:
    kind = {True: " (test)", False: " (production)", None: ""}[one.test]
    return f"{one.qualifier}/{one.id}{kind}"


def _acknowledge(agreement: Agreement) -> str:
    terms = agreement.acknowledge
    if terms is None:
        return "-"
    within = f" within {delay_name(terms.within)}" if terms.within is not None else ""
    errors = ", errors accepted" if terms.errors == "accept" else ""
    ta1 = f", TA1 {terms.ta1}" if terms.ta1 != "asked" else ""
    repeat = ", repeated" if terms.repeat else ""
    return f"{terms.with_set}{within}{errors}{ta1}{repeat}"


def _expected(agreement: Agreement) -> str:
    expected = agreement.expect_ack
    return "-" if expected is None else f"within {delay_name(expected.within)}"


def as_dict(agreement: Agreement) -> dict[str, Any]:
    """One partner for programs; times are seconds."""
    a, acknowledge, expected = agreement, agreement.acknowledge, agreement.expect_ack
    return {
        "partner": a.partner,
        "owner": a.owner or None,
        "ids": [{"qualifier": one.qualifier, "id": one.id, "test": one.test} for one in a.ids],
        "we": {"qualifier": a.we.qualifier, "id": a.we.id} if a.we else None,
        "version": a.version,
        "versions": dict(a.versions),
        "read_as": dict(a.read_as),
        "receive": list(a.receive),
        "send": list(a.send),
        "test": a.test,
        "acknowledge": acknowledge
        and {
            **{"with": acknowledge.with_set, "within": acknowledge.within, "errors": acknowledge.errors},
            **{"ta1": acknowledge.ta1, "through": acknowledge.through, "repeat": acknowledge.repeat},
        },
        "expect_ack": expected and {"within": expected.within, "owner": expected.owner or a.owner or None},
        "overlays": {name: len(rules) for name, rules in a.overlays.items()},
    }
