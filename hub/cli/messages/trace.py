"""`hub trace`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from hub.app.plugin_discovery import discover
from hub.app.readers import x12_reader
from hub.cli.messages.lineage_view import lineage_json, show_lineage
from hub.cli.shell.output import FOUND, AsJson, fail, moment, one_line, out, print_json, status
from hub.cli.site import HERE, SiteDir, with_journal
from hub.core.errors import ClaimMissing
from hub.core.ports import Body, FieldOrigin
from hub.core.routing.facts import plain, show_facts
from hub.core.stage import Stage
from hub.journal.deliveries.answers_recorded import ASKED
from hub.journal.deliveries.decided import FACTS
from hub.journal.deliveries.replies_recorded import REPLY
from hub.journal.story import Story, StoryEvent
from hub.journal.timeline import Timeline
from hub.runtime.position import without_parts

MOST_ASKED = 20
"""Questions of a step that are shown."""


def trace(
    value: Annotated[
        str,
        typer.Argument(help="An order, shipment, invoice or control number, a file name, or an id."),
    ],
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Also print which segment, element and bytes gave each field (X12).")
    ] = False,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Prints the timeline of everything that a value names: what came in, why it went where, what went out.

    Works whether a hub runs or not. With --lineage the bytes that came in are read again, from their claim.
    Exit code 1 when nothing is known. Example: hub trace 104582
    """
    stories = with_journal(site, lambda journal: Timeline(journal).trace(value))
    origins = origins_of(stories, site) if lineage else {}
    if as_json:
        messages = [
            {**story.as_dict(), **({"lineage": lineage_json(origins[story.id])} if lineage else {})}
            for story in stories
        ]
        print_json({"value": value, "messages": messages})
    elif not stories:
        fail(f"nothing is known of {value!r}: no message, key, hold or dead letter has this value")
    else:
        for story in stories:
            tell(story)
            if lineage:
                show_lineage(origins[story.id])
    raise typer.Exit(0 if stories else FOUND)


def origins_of(stories: Sequence[Story], site: Path) -> dict[str, list[FieldOrigin]]:
    """By message, the origin of each field of its document, from the claims; none where it was no X12. Each claim is
    read once, whoever of the messages came in it."""
    found: dict[str, list[FieldOrigin]] = {story.id: [] for story in stories}
    by_claim: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for story in stories:
        if story.claim and (position := without_parts(story.position)):
            places = by_claim.setdefault(story.claim, {})
            places.setdefault(tuple(position.split(".")), []).append(story.id)
    if not by_claim:
        return found
    reader = x12_reader(site, discover(), os.environ)
    for claim, places in by_claim.items():
        try:
            body = _claimed(claim, site)
        except ClaimMissing as error:
            fail(f"error: {error}")
        for place, origins in reader.lineages(body, places):
            for id in places[place]:
                found[id] = origins
    return found


def _claimed(claim: str, site: Path) -> Body:
    return with_journal(site, lambda journal: journal.claim_body(claim))


def tell(story: Story) -> None:
    """One message, for people."""
    title = " ".join(part for part in (story.document or "not read", story.number or "", story.partner or "") if part)
    out.print(Text(one_line(title), style="bold"), Text(f"  message {story.id}", style="dim"))
    came = f"  came from {story.source}" + (f" as {story.name}" if story.name else "")
    where = f", position {story.position}" if story.position else ""
    out.print(Text(one_line(f"{came}{where} (claim {(story.claim or '')[:12]})")))
    if story.received_at is not None and (known := terms_line(story.terms)):
        out.print(Text(one_line(f"  {known}")))
    if story.keys:
        out.print(Text(one_line("  keys: " + ", ".join(f"{key.kind} {key.value}" for key in story.keys))))
    for event in story.events:
        out.print(line(event))
        for explained in explaining_lines(event.detail):
            out.print(Text(f"    {one_line(explained)}", style="dim"))
    for effect in story.effects:
        text = Text("  = ")
        text.append(f"{effect.destination}: ")
        text.append_text(status(effect.status))
        text.append(f" (attempts {effect.attempts}, key {effect.key[:12]}, sent bytes {(effect.claim or '-')[:12]})")
        out.print(text)
    for answer in story.answers:
        said = answer.set or answer.document.partition("@")[0]
        number = f" {answer.control_number}" if answer.control_number else ""
        text = Text(
            one_line(f"  answered with {said}{number}")
            + (f" to {answer.destination}: " if answer.destination else ": ")
        )
        text.append_text(status(answer.status))
        out.print(text.append(f" (message {answer.message[:12]})"))
    for hold in story.holds:
        out.print(Text(f"  hold {hold.id[:12]}: {hold.name} {hold.status}, owner {hold.owner}"))
    for dead in story.dead_letters:
        parent = f", replay of {dead.parent[:12]}" if dead.parent else ""
        out.print(Text(f"  dead letter {dead.id[:12]}: {dead.status}, {dead.error}{parent}"))
    out.print()


def explaining_lines(detail: Mapping[str, Any]) -> Iterator[str]:
    """What explains an event, each on a line of its own."""
    if FACTS in detail:
        yield f"facts: {facts_line(detail[FACTS])}"
    if REPLY in detail:
        yield f"reply: {reply_line(detail[REPLY])}"
    asked = detail.get(ASKED, ())
    if isinstance(asked, str):
        yield f"asked: many questions (claim {asked[:12]})"
        return
    yield from map(asked_line, asked[:MOST_ASKED])
    if len(asked) > MOST_ASKED:
        yield f"asked: {len(asked) - MOST_ASKED} more questions (--json)"


def asked_line(asked: Mapping[str, Any]) -> str:
    """`asked: customer=17: contract=C-17, said 2026-03-02 08:15:00+0000, kept from an earlier question`."""
    question = " ".join(f"{name}={value}" for name, value in asked["question"].items())
    answer = asked.get("answer", "nothing is known")
    if isinstance(answer, dict):
        answer = " ".join(f"{name}={plain(value)}" for name, value in answer.items()) or "none of the values"
    said = f", said {moment(asked['at'])}" if "at" in asked else ""
    kept = ", kept from an earlier question" if asked.get("cached") else ""
    return f"asked: {question}: {asked.get('error', answer)}{said}{kept}"


def terms_line(terms: Mapping[str, Any] | None) -> str:
    """What the source knew of a message; empty where it knew nothing."""
    if terms is None:
        return "what its source knew is not recorded"
    if "claim" in terms:
        return f"its source knew much of it (claim {terms['claim'][:12]})"
    known = [f"sent by {terms['partner']}"] if "partner" in terms else []
    for name in ("facts", "headers"):
        if terms.get(name):
            known.append(f"{name} {show_facts(terms[name], list(terms[name]))}")
    return f"its source knew: {'; '.join(known)}" if known else ""


def facts_line(facts: Mapping[str, Any] | None) -> str:
    """Those that have a value: `number=104582 total=999.36`."""
    if facts is None:
        return "not recorded"
    return show_facts(facts, [name for name in facts if facts[name] is not None])


def reply_line(reply: Mapping[str, Any]) -> str:
    """`409, content-type: application/json; 33 bytes (claim 5f0c2d7e91ab)`."""
    headers = [f"{name}: {value}" for name, value in reply.get("headers", {}).items()]
    said = ", ".join([str(reply.get("status", "no status")), *headers])
    cut = ", cut" if reply.get("cut") else ""
    body = f"{reply.get('size', 0)} bytes{cut} (claim {reply['body'][:12]})" if "body" in reply else "no body"
    return f"{said}; {body}"


def line(event: StoryEvent) -> Text:
    text = Text(f"  {moment(event.at)} ")
    text.append_text(status(event.stage))
    for name in ("route", "destination"):
        if value := getattr(event, name):
            text.append(f" {name} {value}")
    if event.attempt:
        text.append(f" attempt {event.attempt}")
    if event.text:
        text.append(one_line(f": {event.text}"))
    detail = event.detail
    if "due_at" in detail:
        text.append(f", goes at {moment(detail['due_at'])} at the latest")
    if event.stage == Stage.ACKNOWLEDGED and "message" in detail:
        text.append(f" (message {detail['message'][:12]})")
    if event.stage == Stage.MATCHED:
        routes = "; ".join(f"{route} -> {', '.join(to) or 'nothing'}" for route, to in detail["routes"].items())
        text.append(f" table {detail['table']}: {routes}")
        if detail.get("warnings"):
            text.append(f" (warnings: {json.dumps(detail['warnings'])})", style="yellow")
    return text
