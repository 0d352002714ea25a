"""`hub schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from hub.app.plugin_discovery import discover
from hub.cli.shell.output import AsJson, fail, print_json, say
from hub.configuration.schema import schemas
from hub.documents import DOCUMENTS, json_schema


def schema(
    name: Annotated[
        str | None, typer.Argument(help="One schema: hub, routes, order@1, ...; without it a list of all.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write all schemas of YAML files into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prints JSON Schemas: of the site's files, with every plug-in that is installed, and of the canonical documents.

    Examples: hub schema order@1; hub schema routes; hub schema --write config/schemas
    """
    files = {file.removesuffix(".schema.json"): made for file, made in schemas(discover()).items()}
    documents = {f"{kind}@{cls.version}": json_schema(kind) for kind, cls in DOCUMENTS.items()}
    known = {**files, **documents}
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for file, made in schemas(discover()).items():
            (write / file).write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n")
            say(f"wrote {write / file}")
    elif name is not None:
        if name not in known:
            fail(f"there is no schema {name!r}; there are {', '.join(known)}")
        print_json(known[name])
    elif as_json:
        print_json(known)
    else:
        for each in known:
            say(each)
