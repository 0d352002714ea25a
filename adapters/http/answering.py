"""What a destination has made of a document, as the answer to who has sent it."""

from __future__ import annotations

import json
from typing import Any

from hub.core.message import JSON
from hub.core.network.problem import problem
from hub.core.network.web import WebResponse
from hub.core.outcome import Ending, State

LARGEST = 16 << 20
"""Bytes of a reply that is handed on."""


REFUSED, UNTOLD, DUPLICATE = (
    "it was refused where it went; whoever runs the hub finds the reason by its id",
    "it was refused; whoever runs the hub finds the reason by its id",
    "it was taken before",
)
"""What a partner is told. What our systems are called, and what they say when they refuse, is for systems of our
own."""


def ending_answer(ending: Ending, id: str, partner: str) -> WebResponse | None:
    """None: the answer is not known yet, or there is none; the client asks for it later. `partner` is who asks, empty:
    one of ours."""
    told: dict[str, Any] = {"id": id} if partner else {"id": id, "destination": ending.destination}
    match ending.state:
        case State.DELIVERED:
            return reply(ending, told)
        case State.HELD:
            return problem(409, State.HELD, "it waits for a person to decide", **told)
        case State.DEAD | State.DISCARDED:
            return problem(422, "refused", REFUSED if partner else ending.text, **told)
        case State.DUPLICATE:
            return problem(409, State.DUPLICATE, DUPLICATE if partner else ending.text, id=id)
    return None


def reply(ending: Ending, told: dict[str, Any]) -> WebResponse | None:
    """The far end's own words; where it had none, that it has taken it."""
    if ending.reply is None:
        return WebResponse(200, json.dumps({**told, "state": State.DELIVERED}).encode())
    if ending.reply.size > LARGEST:
        return None
    body = b"".join(ending.reply.chunks())
    return WebResponse(200, body, ending.content_type or likely_type(body))


def likely_type(body: bytes) -> str:
    """Of a reply whose sender didn't say."""
    match body.lstrip()[:1]:
        case b"{" | b"[":
            return JSON
        case b"<":
            return "application/xml"
    return "application/octet-stream"
