"""Putting off: a copy that can't go on now waits as a row."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.identity import message_id
from hub.core.message import Message
from hub.journal.commit.entry import Entry
from hub.journal.copies.wait import WAIT, Reason, Wait
from hub.runtime.copy import RouteCopy, pack
from hub.runtime.delivery.kept_body import kept_body
from hub.runtime.runtime import Runtime

WAIT_DELAYS = (1.0, 10.0, 60.0)
"""How long a copy waits (seconds) while another process is sending it; ever longer, the more often it has waited."""


async def put_off(
    runtime: Runtime,
    copy: RouteCopy,
    entry: Entry,
    *,
    destinations: Sequence[str],
    reason: Reason,
    waits_for: str,
    text: str,
    again: bool,
) -> None:
    """Another process, or another message, comes first; no attempt counts. `again`: the copy came again, and is a
    suspect also when it is woken."""
    now = runtime.clock()
    await keep_waiting(
        runtime,
        copy,
        entry,
        now,
        destinations=destinations,
        reason=reason,
        waits_for=waits_for,
        text=text,
        seconds=1.0 if reason is Reason.TABLE else WAIT_DELAYS[min(copy.waits, len(WAIT_DELAYS) - 1)],
        message=copy.still_open(",".join(destinations), copy.attempt, None, now, copy.waits + 1, again=again),
    )


async def keep_waiting(
    runtime: Runtime,
    copy: RouteCopy,
    entry: Entry,
    now: float,
    *,
    destinations: Sequence[str],
    reason: Reason,
    waits_for: str,
    text: str,
    seconds: float,
    message: Message,
) -> None:
    """Adds the row of a copy that waits to the entry. `message` is what is published when it is woken."""
    facts, names = copy.facts(), ",".join(destinations)
    partner, number = facts.get("partner"), facts.get("number")
    wait = Wait(
        id=message_id("wait", (copy.document_id, copy.route, names)),
        document_id=copy.document_id,
        route=copy.route,
        destinations=names,
        reason=reason,
        waits_for=waits_for,
        text=text[:2000],
        partner=str(partner) if partner else None,
        number=str(number) if number else None,
        headers=pack(message),
        body=await kept_body(runtime.journal, copy, entry, now),
        since=now,
        due_at=now + seconds,
        process=runtime.journal.process,
    )
    entry.add(WAIT, wait)
    runtime.metrics.waiting.labels(copy.route).inc()
