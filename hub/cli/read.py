"""`hub read`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.app.plugin_discovery import discover
from hub.app.readers import reader_for
from hub.cli.output import FOUND, fail
from hub.cli.site import HERE, SiteDir
from hub.core.errors import ConfigError, DecodeError
from hub.core.ports import FileBody
from hub.documents import to_json


def read(
    file: Annotated[Path, typer.Argument(help="An X12 interchange, or a canonical document in JSON.")],
    site: SiteDir = HERE,
    reader: Annotated[str | None, typer.Option(help="The reader, x12 or json; without it the contents decide.")] = None,
) -> None:
    """Prints the canonical documents in a file, one JSON object a line; errors and warnings go to stderr.

    Needs no hub and changes nothing. Exit code 1 when anything in the file could not be read.
    Example: hub read orders.edi | jq .number
    """
    if not file.is_file():
        fail(f"{file}: no such file")
    try:
        made = reader_for(file, site, discover(), os.environ, reader)
    except ConfigError as error:
        fail(str(error))
    failed = False
    try:
        for reading in made.read(FileBody(file)):
            where = f"{file}: {'.'.join(reading.position)}: " if reading.position else f"{file}: "
            for warning in reading.warnings:
                typer.echo(f"{where}warning: {warning}", err=True)
            if reading.document is not None:
                sys.stdout.buffer.write(to_json(reading.document) + b"\n")
            else:
                failed = True
                typer.echo(f"{where}error: {reading.error}", err=True)
    except DecodeError as error:
        fail(f"{file}: error: {error}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stdout.flush()
    raise typer.Exit(FOUND if failed else 0)
