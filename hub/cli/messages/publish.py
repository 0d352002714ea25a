"""`hub publish`."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.shell.output import AsJson, fail, print_json, say
from hub.cli.site import HERE, SiteDir, command

LARGEST = 16 << 20


def publish(
    exchange: Annotated[str, typer.Argument(help="The exchange; '' is the default one, where KEY names a queue.")],
    key: Annotated[str, typer.Argument(help="The routing key.")],
    file: Annotated[Path, typer.Argument(help="The body; - is standard input.")],
    site: SiteDir = HERE,
    content_type: Annotated[str, typer.Option(help="The content type of the body.")] = "application/json",
    as_json: AsJson = False,
) -> None:
    """Makes the running hub publish a file to an exchange, confirmed and mandatory.

    Fails when nothing is bound for the key. Example: hub publish shop.events order.placed order.json
    """
    try:
        body = sys.stdin.buffer.read(LARGEST + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    if len(body) > LARGEST:
        fail(f"{file} is larger than {LARGEST >> 20} MB; drop it into a folder that a file source watches")
    packed = base64.b64encode(body).decode()
    arguments = {"exchange": exchange, "key": key, "body": packed, "content_type": content_type}
    result = command(site, "publish", arguments, 60.0)
    if as_json:
        print_json(result)
    else:
        say(f"confirmed: {result['bytes']} bytes to {exchange or '(default)'} {key}, message id {result['message_id']}")
