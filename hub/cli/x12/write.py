"""`hub x12 write`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.app.x12.x12_documents import json_readings
from hub.cli.shell.output import USAGE, AsJson, err, fail, print_json, printable, say
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import ControlNumber, PartnerName, opened, partners_here, piped, terms
from hub.cli.x12.output import write_x12
from hub.clock.system_clock import SystemClock
from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.clock import read_utc
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import Written
from hub.documents import Document
from transformers.x12.declarations.catalogue import RELEASES, known_sets, release_of
from transformers.x12.writing.writer import sets_of, write_interchange

WE, THEY = InterchangeId("ZZ", "SENDER"), InterchangeId("ZZ", "RECEIVER")

SetName = Annotated[
    str | None, typer.Option("--set", metavar="SET", help="The transaction set, where several carry it.")
]
Version = Annotated[
    str | None,
    typer.Option(metavar="VERSION", help="As GS08 has it (004010, 005010); by default as agreed, else 004010."),
]


def write(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT.json", help="One canonical document, or several; - for standard input.")
    ],
    partner: PartnerName = None,
    name: SetName = None,
    version: Version = None,
    control_number: ControlNumber = 1,
    bare: Annotated[
        bool,
        typer.Option("--no-agreement", help="By no agreement: from ZZ/SENDER to ZZ/RECEIVER, with our own separators."),
    ] = False,
    test: Annotated[bool, typer.Option("--test", help="Marked as test (ISA15 T).")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to standard output.")
    ] = None,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Writes canonical documents as X12. Documents of one kind that follow each other go in one interchange.

    By the agreement of --partner, else of the document's partner, where the site has it; else, or with --no-agreement,
    from ZZ/SENDER to ZZ/RECEIVER. Nothing is sent: control numbers count up from --control-number, and none is taken
    from the journal. What X12 can't carry is refused, by the name of its field (exit code 1). Examples: hub x12 write
    order.json --version 005010; hub read orders.edi | hub x12 write - -o again.edi
    """
    _check(name, version)
    if bare and partner:
        raise typer.BadParameter("it says the opposite of --no-agreement", param_hint="--partner")
    agreement = terms(site, partner)[1] if partner else None
    partners = PartnerDirectory() if agreement or bare else partners_here(site)
    documents = _documents(document)
    if not (agreement or bare):
        _hint(documents, partners)
    written: list[Written] = []
    try:
        for together, agreed in _interchanges(documents, agreement, partners):
            asked = _with(agreed, together[0].kind, name)
            number, now = control_number + len(written), read_utc(SystemClock())
            marked = test or asked.test
            written.append(write_interchange(together, asked, number, now, test=marked, version=version or ""))
    except MappingError as error:
        fail(f"error: {document}: {error}")
    _put(written, output, as_json)


def _check(name: str | None, version: str | None) -> None:
    if name is not None and name not in known_sets():
        raise typer.BadParameter(f"there is no {name!r}; there are {', '.join(known_sets())}", param_hint="--set")
    if version is not None and not release_of(version)[1]:
        raise typer.BadParameter(f"{version!r} isn't known; known: {', '.join(RELEASES)}", param_hint="--version")


def _documents(file: str) -> list[Document]:
    documents = []
    with opened(file) as body:
        for reading in json_readings(body):
            if reading.document is None:
                if next(iter(body.chunks(16)), b"").lstrip().startswith(b"ISA"):
                    fail(
                        f"error: {file}: this is X12 already; `hub read {file} | hub x12 write -` writes its documents"
                        " again"
                    )
                where = f"document {reading.position[0]}: " if reading.position else ""
                fail(f"error: {file}: {where}{reading.error}")
            documents.append(reading.document)
    return documents


def _hint(documents: Sequence[Document], partners: PartnerDirectory) -> None:
    """Says on stderr by whose terms nothing is written, and what to do: placeholders must not go to a partner
    unseen."""
    unknown = dict.fromkeys(d.partner or "" for d in documents if partners.by_name(d.partner or "") is None)
    if not unknown:
        return
    whose = " and ".join(
        f"there is no agreement with {name}" if name else "the document names no partner" for name in unknown
    )
    known = (
        f"one of {', '.join(partners.names)}" if partners.names else "the site has none yet: hub partner add drafts one"
    )
    text = (
        f"{whose}: written from ZZ/SENDER to ZZ/RECEIVER. Take --partner NAME ({known}), or --no-agreement if this is"
        " meant"
    )
    err.print(Text(printable(text), style="yellow"))


def _interchanges(
    documents: Sequence[Document], given: Agreement | None, partners: PartnerDirectory
) -> Iterator[tuple[list[Document], Agreement]]:
    """Documents that follow each other and are of one kind and partner."""
    for (_, partner), group in groupby(documents, lambda each: (each.kind, each.partner or "")):
        agreed = given or partners.by_name(partner)
        yield list(group), agreed or Agreement(partner, (THEY,), WE)


def _with(agreement: Agreement, kind: str, name: str | None) -> Agreement:
    """The agreement, where the set is as asked. Raises MappingError for a set that doesn't carry the
    document."""
    if name is None or kind == "interchange_acknowledgment":
        return agreement
    if name not in sets_of(kind):
        carried = f"{' or '.join(sets_of(kind))} does" if sets_of(kind) else "no set does"
        raise MappingError(f"the {name} doesn't carry the document {kind!r}: {carried}")
    if name in ("997", "999"):
        return replace(agreement, acknowledge=Acknowledge("999" if name == "999" else "997"))
    return replace(agreement, send=(name,))


def _put(written: Sequence[Written], output: Path | None, as_json: bool) -> None:
    data = b"".join(each.body for each in written)
    for warning in (text for each in written for text in each.warnings):
        err.print(Text(printable(f"warning: {warning}"), style="yellow"))
    if output is not None:
        try:
            output.write_bytes(data)
        except OSError as error:
            fail(f"error: {output}: {error.strerror or error}", USAGE)
    if as_json:
        print_json({"file": str(output) if output else None, "interchanges": [_to_json(each) for each in written]})
    elif output is None:
        with piped():
            write_x12(data)
    else:
        say(f"wrote {len(data)} bytes to {output}", "green")


def _to_json(written: Written) -> dict[str, Any]:
    return {**written.facts, "warnings": list(written.warnings), "x12": written.body.decode("utf-8", "replace")}
