"""`hub x12`: X12 files and transaction sets, for people. Needs no hub and changes nothing."""

from __future__ import annotations

import typer

from hub.cli.x12 import ack, diff, docs, inspect, validate, write

HELP = """X12 files and transaction sets, for people. Needs no hub; agreements are those of the site, where there is one.

Exit codes: 0 everything was accepted, or is the same; 1 something was rejected, or differs; 2 wrong usage.
"""

commands = typer.Typer(help=HELP, no_args_is_help=True)
commands.command("inspect")(inspect.inspect)
commands.command("validate")(validate.validate)
commands.command("ack")(ack.ack)
commands.command("write")(write.write)
commands.command("diff")(diff.diff)
commands.command("docs")(docs.docs)
