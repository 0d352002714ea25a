"""`hub sent`."""

from __future__ import annotations

import sys
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.text import Text

from hub.cli.shell.output import FOUND, AsJson, err, fail, moment, one_line, print_json, printable
from hub.cli.site import HERE, SiteDir, with_journal
from hub.core.errors import ClaimMissing
from hub.core.ports import Body
from hub.journal.deliveries.sendings import Sending, Sendings
from hub.journal.journal import Journal


def sent(
    value: Annotated[
        str,
        typer.Argument(help="An order, shipment, invoice or control number, a file name, or an id: as for hub trace."),
    ],
    to: Annotated[str | None, typer.Option(metavar="DESTINATION", help="Where it went, if to several.")] = None,
    reply: Annotated[
        bool, typer.Option("--reply", help="Print what the far end replied last, in place of what it was sent.")
    ] = False,
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Prints the bytes that a destination was sent, as they were sent; every attempt has the same.

    With --json it tells of each sending instead: status, key, claim, control number, and what the far end replied to
    each attempt. Exit code 1 when nothing was found, or several sendings. Example: hub sent 104582 --to acme-out >
    850.edi
    """
    found = with_journal(site, lambda journal: Sendings(journal).find(value, to))
    if as_json:
        print_json({"value": value, "count": len(found), "sent": [one.as_dict() for one in found]})
        raise typer.Exit(0 if found else FOUND)
    claim = the_reply(value, found) if reply else the_claim(value, to, found)

    async def read(journal: Journal) -> Body:
        return await journal.claim_body(claim)

    try:
        body = with_journal(site, read)
    except ClaimMissing as error:
        fail(f"error: {error}")
    if sys.stdout.isatty():
        say_bytes(body)
    else:
        for piece in body.chunks():
            sys.stdout.buffer.write(piece)


def say_bytes(body: Body) -> None:
    """On a terminal, which bytes of a partner must not steer: as text, its control characters as codes."""
    for number, text in enumerate(decode_pieces(body)):
        if number == 0:
            err.print(Text("control characters are shown as codes; a pipe or a file gets the bytes", style="dim"))
        sys.stdout.write(printable(text.replace("\r\n", "\n")))


def decode_pieces(body: Body) -> Iterator[str]:
    decoder = getincrementaldecoder("utf-8")("backslashreplace")
    for piece in body.chunks():
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def sending_line(one: Sending) -> Text:
    """A sending that may be meant."""
    what = f"{(one.document or 'document').partition('@')[0]} {one.number or ''} -> {one.destination}: {one.status}"
    return Text(one_line(f"{one.document_id}  {what}, {moment(one.updated_at)}"))


def the_reply(value: str, found: Sequence[Sending]) -> str:
    """The body of the last reply of the one sending that is meant; ends the command where there is none, or a
    choice."""
    if len(found) > 1:
        for one in found:
            err.print(sending_line(one))
        fail(f"{value!r} names {len(found)} sendings: say which by its id, and with --to")
    bodies = [str(one["body"]) for sending in found for one in sending.replies if "body" in one]
    if not bodies:
        fail(f"no reply to {value!r} is recorded that has a body: see hub trace")
    return bodies[-1]


def the_claim(value: str, to: str | None, found: Sequence[Sending]) -> str:
    """The one body that is meant; ends the command where there is none, or a choice."""
    if not found:
        fail(f"nothing of {value!r} goes {f'to {to}' if to else 'anywhere'}: see hub trace")
    claims = {one.claim for one in found if one.claim is not None}
    if not claims:
        fail(f"{found[0].destination} has no bytes of {value!r} yet: it is {found[0].status}")
    if len(claims) > 1:
        for one in found:
            err.print(sending_line(one))
        fail(f"{value!r} names {len(claims)} different bodies: say which by its id, and with --to")
    return claims.pop()
