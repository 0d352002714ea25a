"""What the journal keeps of a reply, in the event of the attempt that it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.options.secret_names import BLACKENED, is_credential
from hub.core.replies.reply import Reply
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.replies_recorded import REPLY
from hub.journal.journal import Journal

LARGEST_BODY = 1 << 14
"""Bytes of the body that are kept of a reply which means no success. Each of many attempts may have one."""

MOST_HEADERS = 40
LONGEST_HEADER = 300
"""Characters of a header's name and value."""


async def keep_failure(journal: Journal, reply: Reply | None, entry: Entry, now: float) -> dict[str, Any]:
    """The detail of the event of a failed attempt. The claim of the body is added to the entry."""
    if reply is None or not reply.says_something:
        return {}
    body, claim = reply.body[:LARGEST_BODY], None
    if body:
        kept = await journal.keep(body)
        entry.claim(kept, now)
        claim = kept.digest
    return reply_detail(Reply(reply.status, reply.headers, body, reply.cut or len(body) < len(reply.body)), claim)


def reply_detail(reply: Reply, claim: str | None) -> dict[str, Any]:
    """The detail of an event; `claim` is that of the body."""
    if not reply.says_something:
        return {}
    kept: dict[str, Any] = {"size": len(reply.body)}
    if reply.status is not None:
        kept["status"] = reply.status
    if reply.headers:
        kept["headers"] = headers_shown(reply.headers)
    if claim is not None:
        kept["body"] = claim
    if reply.cut:
        kept["cut"] = True
    return {REPLY: kept}


def headers_shown(headers: Mapping[str, str]) -> dict[str, str]:
    """The first of many, each of a length that can be kept. One that lets somebody in is blackened."""
    return {
        name[:LONGEST_HEADER]: BLACKENED if is_credential(name, value) else value[:LONGEST_HEADER]
        for name, value in list(headers.items())[:MOST_HEADERS]
    }
