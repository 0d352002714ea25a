"""`hub x12`: X12 files and transaction sets, for people. Needs no hub and changes nothing."""

from __future__ import annotations

from hub.cli.shell.lazy_group import CommandEntry, lazy

HELP = """Shows, checks and writes X12 files and transaction sets. Needs no running hub. Uses the agreements of the site,
if there is one.

Exit codes: 0 everything was accepted, or is the same; 1 something was rejected, or differs; 2 wrong usage.
"""  # noqa: E501

commands = lazy(
    (
        CommandEntry(
            "inspect", "hub.cli.x12.inspect:inspect", "Shows a file as a tree, decoded, with errors in place."
        ),
        CommandEntry(
            "validate", "hub.cli.x12.validate:validate", "Says whether each transaction is accepted, and why not."
        ),
        CommandEntry("ack", "hub.cli.x12.ack:ack", "Prints the acknowledgments that we would send for a file."),
        CommandEntry("write", "hub.cli.x12.write:write", "Writes canonical documents as X12."),
        CommandEntry("diff", "hub.cli.x12.diff:diff", "Says where two files differ in what they mean."),
        CommandEntry("docs", "hub.cli.x12.docs:docs", "Prints a transaction set as we know it."),
    ),
    HELP,
)
