"""Suspects: arrivals over which workers were lost."""

from __future__ import annotations

from hub.journal.journal import Journal
from hub.journal.processes.suspects import FORGET_SECONDS, Suspects


async def test_after_a_day_an_arrival_is_no_suspect_any_more_also_where_the_hub_was_never_stopped(
    journal: Journal,
) -> None:
    suspects, now = Suspects(journal), journal.clock()
    assert await suspects.add("long ago", "was ended", now - FORGET_SECONDS - 1.0) == 1
    assert await suspects.add("lately", "was ended", now - 1.0) == 1
    assert (suspects.count("long ago"), suspects.cause("long ago"), suspects.count("lately")) == (0, "", 1)
    await suspects.load(now)
    assert set(suspects._known) == {"lately"}


async def test_what_another_process_has_counted_is_known_after_a_while(journal: Journal) -> None:
    ours, theirs = Suspects(journal), Suspects(journal)
    await theirs.add("strange", "was ended", journal.clock())
    await ours.load(journal.clock())
    assert ours.count("strange") == 1
