"""`hub new adapter|transformer`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from hub.app.plugin_discovery import discover
from hub.cli.new.plugin_scaffold import ScaffoldKind, ScaffoldRefused, kind_of, put, scaffold
from hub.cli.shell.output import AsJson, fail, print_json, say
from hub.cli.shell.site_option import disk_error
from hub.core.errors import ConfigError

commands = typer.Typer(
    help="A plug-in of your own: a distribution with its contract test, which works as it stands.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The plug-in's key in YAML: acme_spool.")]
Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A new or empty folder; without it hub-KIND-NAME, here.")
]


@commands.command()
def adapter(
    name: Name,
    kind: Annotated[str, typer.Option(help="source or destination.")] = "destination",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Writes a distribution with a source or a destination. Never over anything.

    Example: hub new adapter acme_spool --kind destination
    """
    _new(name, kind, ("source", "destination"), folder, as_json)


@commands.command()
def transformer(
    name: Name,
    kind: Annotated[str, typer.Option(help="reader or writer.")] = "reader",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Writes a distribution with a reader or a writer. Never over anything.

    Example: hub new transformer acme_lines --kind reader
    """
    _new(name, kind, ("reader", "writer"), folder, as_json)


def _new(name: str, word: str, kinds: tuple[ScaffoldKind, ...], folder: Path | None, as_json: bool) -> None:
    try:
        kind = kind_of(word, kinds)
        made = scaffold(kind, name, discover())
        target = folder or Path(made.distribution)
        paths = put(made, target)
    except (ScaffoldRefused, ConfigError) as error:
        fail(str(error) if isinstance(error, ConfigError) else f"error: {error}")
    except OSError as error:
        fail(disk_error(error))
    where = shlex.quote(str(target))
    steps = [
        f"pip install -e {where}",
        f"pytest {where}",
        f"edit {paths[2]}, then write `{name}:` into the site ({paths[1]} shows where) and run hub check",
    ]
    if as_json:
        print_json(
            {
                "kind": kind,
                "name": name,
                "distribution": made.distribution,
                "folder": target,
                "files": list(map(str, paths)),
                "next": steps,
            }
        )
        return
    for path in paths:
        say(f"wrote {path}", "green")
    say("next:")
    for step in steps:
        say(f"  {step}")
