"""`hub partner`: who we trade with, by which terms, and how it goes."""

from __future__ import annotations

from hub.cli.shell.lazy_group import Entry, lazy

commands = lazy(
    (
        Entry("list", "hub.cli.partner.list:partners", "Lists the partners and their terms."),
        Entry("add", "hub.cli.partner.add:add", "Drafts an agreement from a file that they sent."),
        Entry("check", "hub.cli.partner.check:check", "Says what in a file departs from the agreement."),
        Entry("numbers", "hub.cli.partner_numbers:numbers", "Lists the control numbers sent to a partner."),
        Entry("acks", "hub.cli.partner_numbers:acks", "Lists what a partner is to acknowledge."),
    ),
    "Trading partners: their agreements, control numbers and acknowledgments.",
)
