"""All commands, as one program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import typer

from hub.app.running_hub import RunningHub
from hub.cli import check, dead, demo, doctor, hold, partner, publish, read, reload, schema, trace, version
from hub.cli.run import run_command
from hub.cli.x12 import commands as x12_commands

Serving = Callable[[RunningHub, str], AbstractAsyncContextManager[str]]

HELP = """The mediation hub: what arrives becomes canonical documents, and their content decides where each goes.

Exit codes: 0 done; 1 an error was found, or the command was refused; 2 wrong usage; 3 recorded, but not carried out yet;
4 the journal can't be reached.
"""


def build(serving: Serving) -> typer.Typer:
    """The program. `serving` is the HTTP face that `hub run` shows."""
    program = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    program.command("run")(run_command(serving))
    program.command("check")(check.check)
    program.command("reload")(reload.reload)
    program.command("schema")(schema.schema)
    program.command("demo")(demo.demo)
    program.command("publish")(publish.publish)
    program.command("trace")(trace.trace)
    program.add_typer(dead.commands, name="dead")
    program.add_typer(hold.commands, name="hold")
    program.add_typer(partner.commands, name="partner")
    program.command("read")(read.read)
    program.add_typer(x12_commands, name="x12")
    program.command("doctor")(doctor.doctor)
    program.command("version")(version.version)
    return program
