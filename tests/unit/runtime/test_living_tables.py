"""A copy waits for a process that knows its destination, as long as one may."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.clock.system_clock import SystemClock
from hub.journal.journal import Journal
from hub.runtime.delivery.living_tables import LivingTables


@pytest.mark.parametrize(
    ("others", "version", "may"),
    [
        ((), "v2", False),
        (("v1",), "v2", False),
        (("v2",), "v2", True),
        (("v3",), "v2", True),  # reloaded since: the table that made the copy is in force nowhere
        (("v1", "v3"), "v2", True),
        (("v3",), "v1", False),  # our own table made it
    ],
)
async def test_while_tables_differ_another_process_may_know(
    tmp_path: Path, others: tuple[str, ...], version: str, may: bool
) -> None:
    journals = [Journal(str(tmp_path / "hub.db"), tmp_path / "claims", SystemClock()) for _ in ("ours", *others)]
    for journal, table in zip(journals, ("v1", *others), strict=True):
        await journal.announce(table)
        await journal.open(worker=True)
    try:
        assert await LivingTables(journals[0]).others_may_know(version) is may
    finally:
        for journal in journals:
            await journal.close()
