"""Takes control numbers, as a hub does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from hub.clock.system_clock import SystemClock
from hub.journal.commit.entry import Entry
from hub.journal.interchanges.control_numbers import NUMBERS, NumberWanted
from hub.journal.journal import Journal


async def take_number(
    journal: Journal,
    document: str,
    *,
    partner: str = "ACME",
    destination: str = "out",
    generation: int | None = 1,
    at: float = 1.0,
) -> int | None:
    """The number, None where the sequence is used up, or where nothing is to be made."""
    entry = Entry()
    entry.add(
        NUMBERS, NumberWanted(partner, document, destination, "route", "{}", "body", at, journal.process, generation)
    )
    committed = await journal.commit(entry)
    return committed.of(NUMBERS).get((document, destination))


def take_in_a_process(url: str, folder: str, documents: Sequence[str]) -> dict[str, int | None]:
    """Opens the journal, and takes a number for each document, all at once."""

    async def take() -> dict[str, int | None]:
        journal = Journal(url, Path(folder) / "claims", SystemClock())
        await journal.open()
        try:
            found = await asyncio.gather(*(take_number(journal, document) for document in documents))
        finally:
            await journal.close()
        return dict(zip(documents, found, strict=True))

    return asyncio.run(take())
