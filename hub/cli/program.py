"""All commands, as one program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import typer

from hub.cli.shell.lazy_group import CommandEntry, lazy

if TYPE_CHECKING:
    from hub.app.running_hub import RunningHub

Serving = Callable[["RunningHub", str], AbstractAsyncContextManager[str]]

HELP = """The mediation hub turns what arrives into canonical documents. Their content decides where each document goes.

Exit codes: 0 done; 1 an error was found, or the command was refused; 2 wrong usage; 3 recorded, but not yet
carried out; 4 the journal can't be reached.
"""

COMMANDS = (
    CommandEntry("check", "hub.cli.check:check", "Checks config/ and routes/ as one whole."),
    CommandEntry("reload", "hub.cli.reload:reload", "Makes the running hub read its files again."),
    CommandEntry("schema", "hub.cli.schema:schema", "Prints the JSON Schemas of files and documents."),
    CommandEntry("demo", "hub.demo:demo", "Shows the sample site at work."),
    CommandEntry("publish", "hub.cli.messages.publish:publish", "Makes the running hub publish a file."),
    CommandEntry("trace", "hub.cli.messages.trace:trace", "Prints the timeline of all that a value names."),
    CommandEntry("sent", "hub.cli.messages.sent:sent", "Prints the bytes that a destination was sent."),
    CommandEntry("dead", "hub.cli.messages.dead:commands", "Messages that can't proceed."),
    CommandEntry("hold", "hub.cli.messages.hold:commands", "Documents that wait for somebody's decision."),
    CommandEntry("batch", "hub.cli.messages.batch:commands", "Documents that wait to go together."),
    CommandEntry(
        "waiting", "hub.cli.messages.waiting:commands", "Copies that wait for an endpoint or another message."
    ),
    CommandEntry("backup", "hub.cli.backup:backup", "Backs up messages, journal and claims."),
    CommandEntry("restore", "hub.cli.backup:restore", "Brings a backup back."),
    CommandEntry("journal", "hub.cli.journal:commands", "The journal: take the history along."),
    CommandEntry("broker", "hub.cli.broker:commands", "The broker: take waiting messages along."),
    CommandEntry("partner", "hub.cli.partner:commands", "Trading partners: agreements, numbers, answers."),
    CommandEntry("read", "hub.cli.messages.read:read", "Prints the canonical documents in a file."),
    CommandEntry("x12", "hub.cli.x12:commands", "X12 files and transaction sets, for people."),
    CommandEntry("new", "hub.cli.new.command:commands", "A plug-in of your own, as a distribution."),
    CommandEntry("doctor", "hub.cli.doctor:doctor", "Looks over installation, site, journal, broker."),
    CommandEntry("version", "hub.cli.version:version", "Prints the version of the hub and of Python."),
)


def build(serving: Serving) -> typer.Typer:
    """The program. `serving` is the HTTP face that `hub run` shows."""
    run = CommandEntry("run", "hub.cli.run:run_command", "Runs the hub of a site until Ctrl-C.", given=(serving,))
    return lazy((run, *COMMANDS), HELP, context_settings={"help_option_names": ["-h", "--help"]})
