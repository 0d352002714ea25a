"""The option that names the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SiteDir = Annotated[
    Path,
    typer.Option("--site", metavar="DIR", help="The site: a folder with config/ and routes/.", show_default="here"),
]
HERE = Path()


def disk_error(error: OSError) -> str:
    """A sentence about a file that can't be used."""
    return f"error: {error.filename or 'the site'}: {error.strerror or error}"
