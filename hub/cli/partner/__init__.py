"""`hub partner`: who we trade with, by which terms, and how it goes."""

from __future__ import annotations

from hub.cli.shell.lazy_group import CommandEntry, lazy

commands = lazy(
    (
        CommandEntry("list", "hub.cli.partner.list:partners", "Lists the partners and their terms."),
        CommandEntry("add", "hub.cli.partner.add:add", "Drafts an agreement from a file that they sent."),
        CommandEntry("check", "hub.cli.partner.check:check", "Says what in a file departs from the agreement."),
        CommandEntry("numbers", "hub.cli.partner_numbers:numbers", "Lists the control numbers sent to a partner."),
        CommandEntry("acks", "hub.cli.partner_numbers:acks", "Lists what a partner is to acknowledge."),
    ),
    "Trading partners: their agreements, control numbers and acknowledgments.",
)
