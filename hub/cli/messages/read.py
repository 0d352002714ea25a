"""`hub read`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from hub.app.plugin_discovery import discover
from hub.app.readers import reader_for, reader_of_source
from hub.cli.messages.lineage_view import lineage_json, show_lineage
from hub.cli.shell.output import FOUND, AsJson, fail, one_line, say
from hub.cli.shell.site_option import HERE, SiteDir
from hub.core.errors import ConfigError, DecodeError
from hub.core.message import Header
from hub.core.network.visible import visible_json
from hub.core.ports import FieldOrigin, FileBody, Reading, TracingReader
from hub.documents import to_json


def read(
    file: Annotated[
        Path, typer.Argument(help="X12 interchanges, or a canonical document in JSON; or what the source reads.")
    ],
    site: SiteDir = HERE,
    reader: Annotated[str | None, typer.Option(help="The reader, x12 or json; without it the contents decide.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Read as this source of the site does: its `read` and `unpack`, without its steps."),
    ] = None,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Print which segment, element and bytes gave each field (X12).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prints the canonical documents in a file, one JSON object a line; errors and warnings go to stderr.

    What is packed in gzip, zip or MIME is unpacked. Needs no hub and changes nothing. Exit code 1 when anything in the
    file could not be read. With --lineage a table for each document; with --json too, one object a line: position,
    document, lineage. Examples: hub read orders.edi | jq .number; hub read orders.csv --source web-orders
    """
    if source is not None and reader is not None:
        fail("say either --source or --reader: a source has its reader")
    if not file.is_file():
        fail(f"{file}: no such file")
    try:
        if source is not None:
            made = reader_of_source(source, site, discover(), os.environ)
        else:
            made = reader_for(file, site, discover(), os.environ, reader)
    except ConfigError as error:
        fail(str(error))
    if lineage and not isinstance(made, TracingReader):
        fail(f"{file}: only X12 has a lineage; what a template makes, or JSON says itself, has none")
    failed = False
    traced = _Traced(made, FileBody(file)) if lineage and isinstance(made, TracingReader) else None
    try:
        for reading in made.read(FileBody(file), {Header.NAME: file.name}):
            where = f"{file}: {'.'.join(reading.position)}: " if reading.position else f"{file}: "
            for warning in reading.warnings:
                typer.echo(one_line(f"{where}warning: {warning}"), err=True)
            if reading.envelope.get("direction") == "outbound":
                continue
            if reading.document is not None and traced is not None:
                _trace(traced, reading, as_json)
            elif reading.document is not None:
                sys.stdout.buffer.write(shown_json(to_json(reading.document)) + b"\n")
            else:
                failed = True
                typer.echo(one_line(f"{where}error: {reading.error}"), err=True)
    except DecodeError as error:
        fail(f"{file}: error: {error}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stdout.flush()
    raise typer.Exit(FOUND if failed else 0)


class _Traced:
    """The lineages of a body beside its readings: both come in one order, and the body is read for all of them once."""

    def __init__(self, reader: TracingReader, body: FileBody) -> None:
        self._lineages = iter(reader.lineages(body))
        self._next = next(self._lineages, None)

    def of(self, position: tuple[str, ...]) -> list[FieldOrigin]:
        while self._next is not None and _ordinals(self._next[0]) < _ordinals(position):
            self._next = next(self._lineages, None)
        return self._next[1] if self._next is not None and self._next[0] == position else []


def _ordinals(position: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in position)


def _trace(traced: _Traced, reading: Reading, as_json: bool) -> None:
    assert reading.document is not None  # noqa: S101 - the command has looked
    origins = traced.of(reading.position)
    where = ".".join(reading.position)
    if as_json:
        document = orjson.Fragment(to_json(reading.document))
        line = {"position": where, "document": document, "lineage": lineage_json(origins)}
        typer.echo(visible_json(orjson.dumps(line).decode()))
        return
    say(f"{reading.document.kind} {reading.document.number} ({where})", "bold")
    show_lineage(origins)


def shown_json(document: bytes) -> bytes:
    """On a terminal without characters that steer it; a pipe gets the document as it is."""
    return visible_json(document.decode()).encode() if sys.stdout.isatty() else document
