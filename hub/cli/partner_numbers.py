"""`hub partner numbers` and `hub partner acks`: control numbers of what we sent, and what the partner said of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from hub.cli.shell.output import AsJson, age, entry, fail, moment, print_json, say
from hub.cli.site import HERE, SiteDir, changing_journal, checked_site, whoami, with_journal
from hub.core.ack import Ack
from hub.core.errors import HubError
from hub.core.options.nearest import hint
from hub.journal.interchanges.control_counter import ControlCounter
from hub.journal.interchanges.interchanges_sent import InterchangesSent, MemberStory, NumberStory
from hub.journal.journal import Journal

Partner = Annotated[str, typer.Argument(help="The partner, as config/partners calls it.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest.")]

STATES = tuple(ack for ack in Ack if ack is not Ack.NOTED)
WAITED_FOR = STATES[1:]
REFUSED = (Ack.REJECTED, Ack.ACCEPTED_WITH_ERRORS)
STYLES: dict[str, str] = {
    Ack.ACCEPTED: "green",
    Ack.REJECTED: "red",
    Ack.OVERDUE: "red",
    Ack.AWAITING: "yellow",
    Ack.ACCEPTED_WITH_ERRORS: "yellow",
}


def numbers(
    partner: Partner,
    site: SiteDir = HERE,
    following: Annotated[
        int | None, typer.Option("--next", help="Set the next number, for a site that comes from another hub.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Lists the control numbers sent to a partner, newest first, and why one is a gap. Example: hub partner numbers
    ACME"""
    if following is not None:
        seed(site, partner, following, as_json)
        return

    async def work(journal: Journal) -> tuple[int, list[NumberStory], list[dict[str, Any]]]:
        counter = ControlCounter(journal)
        stories = await InterchangesSent(journal).stories(partner, limit=limit)
        return await counter.last(partner), stories, await counter.seeds(partner)

    last, stories, seeds = with_journal(site, work)
    if as_json:
        shown = [story.as_dict() for story in stories]
        print_json({"partner": partner, "next": last + 1, "numbers": shown, "seeds": seeds})
        return
    if not stories and not seeds:
        known_partner(site, partner)
    if not stories:
        say(f"no control number was taken for {partner} yet; the next one is {last + 1}")
    for story in stories:
        entry((story.control_number, moment(story.sent_at or story.taken_at), *outcome(story)), what(story))
        for member in story.members:
            say(member_line(member))
    for one in reversed(seeds):
        say(f"{moment(one['at'])}  {one['who']} set the next number to {one['after']}; before it was {one['before']}")
    if stories:
        say(f"the next one is {last + 1}")


def known_partner(site: Any, partner: str) -> None:
    """Ends the command where nobody is called so: "owes nothing" would be false comfort for a name that is misspelt."""
    known = checked_site(site).site
    if known is not None and partner not in known.partners.names:
        fail(f"error: there is no partner {partner!r} ({hint(partner, known.partners.names)})")


def seed(site: Any, partner: str, following: int, as_json: bool) -> None:
    """Sets the counter."""
    known_partner(site, partner)

    async def work(journal: Journal) -> dict[str, int] | str:
        try:
            return await ControlCounter(journal).seed(partner, following, whoami())
        except HubError as error:
            return str(error)

    result = changing_journal(site, work)
    if isinstance(result, str):
        fail(f"error: {result}")
    if as_json:
        print_json({"partner": partner, **result})
    else:
        say(f"the next control number of {partner} is {result['after']}; before it was {result['before']}", "green")


def acks(
    partner: Partner,
    site: SiteDir = HERE,
    status: Annotated[
        list[str] | None, typer.Option(help=f"Only in this state: {', '.join(WAITED_FOR)}. May be repeated.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Lists what the partner is to acknowledge, newest first; of a batch the members that it refused. Example: hub
    partner acks ACME --status overdue"""
    if unknown := [word for word in status or () if word not in STATES]:
        raise typer.BadParameter(f"{unknown[0]!r} is no state; one of {', '.join(WAITED_FOR)}")
    wanted = tuple(status or WAITED_FOR)

    async def work(journal: Journal) -> tuple[list[NumberStory], float]:
        return await InterchangesSent(journal).stories(partner, wanted, limit), journal.clock()

    stories, now = with_journal(site, work)
    if as_json:
        print_json({"partner": partner, "count": len(stories), "acks": [story.as_dict() for story in stories]})
        return
    if not stories:
        known_partner(site, partner)
        say(
            f"{partner} was sent nothing that is {' or '.join(status)}" if status else f"{partner} owes nothing",
            "green",
        )
    for story in stories:
        entry(
            (story.control_number, moment(story.sent_at), *outcome(story), due(story, now)),
            f"{what(story)}  {story.ack_text or ''}".rstrip(),
        )
        for member in story.members:
            if member.ack in (status or REFUSED):
                say(member_line(member))


def outcome(story: NumberStory) -> tuple[Text, ...]:
    """One or two words: whether it left, and what the partner said."""
    if story.gap:
        return (Text("gap", style="yellow"),)
    if story.sent_at is None and story.ack == "none":
        return (Text("not sent yet", style="yellow"),)
    words = Text("sent", style="green")
    if story.ack == "none":
        return (words,)
    return (words, Text(story.ack.replace("_", " "), style=STYLES.get(story.ack, "")))


def what(story: NumberStory) -> str:
    """The document, where it went, and why it didn't leave."""
    kind = (story.document or "document").partition("@")[0]
    if story.members:
        kind = f"batch of {len(story.members)}"
    named = f"{kind} {story.number or story.document_id[:12]} -> {story.destination}"
    return f"{named}: {story.why}" if story.why else named


def member_line(member: MemberStory) -> str:
    """A document of a batch: its transaction, what it is, what the partner said of it."""
    kind = (member.document or "document").partition("@")[0]
    said = "" if member.ack == "none" else f": {member.ack.replace('_', ' ')}"
    return f"    {member.transaction}  {kind} {member.number or member.document_id[:12]}{said}"


def due(story: NumberStory, now: float) -> str:
    if story.ack not in ("awaiting", "overdue") or story.ack_due_at is None:
        return ""
    late = now - story.ack_due_at
    return f"overdue by {age(late)}" if late > 0 else f"due in {age(-late)}"
