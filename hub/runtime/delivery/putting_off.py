"""Putting off: a copy that can't go on in this process now waits as a row, and no attempt counts."""

from __future__ import annotations

from collections.abc import Sequence

from hub.journal.entry import Entry
from hub.journal.wait import WAIT, Reason
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.kept_body import kept_body
from hub.runtime.recovery.waits import wait_of
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
    """Adds the row to the entry. `again`: the copy came again, and is a suspect also when it is woken."""
    now = runtime.clock()
    wait = wait_of(
        copy=copy,
        body=await kept_body(runtime.journal, copy, entry, now),
        destinations=destinations,
        reason=reason,
        waits_for=waits_for,
        text=text,
        now=now,
        seconds=1.0 if reason is Reason.TABLE else WAIT_DELAYS[min(copy.waits, len(WAIT_DELAYS) - 1)],
        process=runtime.journal.process,
        message=copy.still_open(",".join(destinations), copy.attempt, None, now, copy.waits + 1, again=again),
    )
    entry.add(WAIT, wait)
    runtime.metrics.waiting.labels(copy.route).inc()
