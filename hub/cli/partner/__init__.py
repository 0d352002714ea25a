"""`hub partner`: who we trade with, by which terms, and how it goes."""

from __future__ import annotations

import typer

from hub.cli import partner_numbers
from hub.cli.partner import add, check, list

commands = typer.Typer(
    help="Trading partners: their agreements, control numbers and acknowledgments.", no_args_is_help=True
)
commands.command("list")(list.partners)
commands.command("add")(add.add)
commands.command("check")(check.check)
commands.command("numbers")(partner_numbers.numbers)
commands.command("acks")(partner_numbers.acks)
