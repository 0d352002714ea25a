"""Control numbers: no number twice, none lost, the same one for the same document; every gap has its cause."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.effect import EffectStatus
from hub.core.errors import HubError
from hub.core.stage import Stage
from hub.journal import schema
from hub.journal.commit.entry import Entry, effect_prepared
from hub.journal.deliveries.effects import EffectState
from hub.journal.interchanges.control_counter import ControlCounter
from hub.journal.interchanges.control_numbers import MOST, NUMBERS, RECORD_SENT, NumberWanted, Sent
from hub.journal.interchanges.interchanges_sent import InterchangesSent
from hub.journal.journal import Journal
from tests.support.numbers import take_in_a_process, take_number


async def test_numbers_begin_with_one_and_each_partner_has_its_own(journal: Journal) -> None:
    assert [await take_number(journal, f"d{n}") for n in range(3)] == [1, 2, 3]
    assert await take_number(journal, "d0", partner="BOLT") == 1


async def test_one_document_at_one_destination_in_one_generation_has_one_number(journal: Journal) -> None:
    assert await take_number(journal, "d") == 1
    assert await take_number(journal, "d") == 1
    assert await take_number(journal, "d", destination="elsewhere") == 2
    assert await take_number(journal, "d", generation=2) == 3
    assert await take_number(journal, "d") == 1


async def test_numbers_that_many_take_at_once_have_no_gaps(journal: Journal) -> None:
    found = await asyncio.gather(*(take_number(journal, f"d{n % 200}") for n in range(600)))
    assert sorted({number for number in found if number is not None}) == list(range(1, 201))
    assert found[:200] == found[200:400] == found[400:]


async def test_processes_that_share_a_journal_take_none_twice_and_lose_none(
    journal: Journal, journal_url: str, tmp_path: Path
) -> None:
    shares = [[f"shared{n}" for n in range(40)] + [f"{process}.{n}" for n in range(40)] for process in range(3)]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        folder = str(tmp_path)
        work = [loop.run_in_executor(pool, take_in_a_process, journal_url, folder, share) for share in shares]
        found = await asyncio.gather(*work)
    by_document: dict[str, set[int | None]] = {}
    for numbers in found:
        for document, number in numbers.items():
            by_document.setdefault(document, set()).add(number)
    assert all(len(numbers) == 1 for numbers in by_document.values())
    assert sorted(n for numbers in by_document.values() for n in numbers if n) == list(range(1, 161))


async def test_after_the_last_number_there_is_none(journal: Journal) -> None:
    await ControlCounter(journal).seed("ACME", MOST, "ada")
    found = await asyncio.gather(*(take_number(journal, f"d{n}") for n in range(3)))
    assert found == [MOST, None, None]
    assert await take_number(journal, "d0") == MOST


async def test_no_number_is_taken_while_nothing_is_to_be_made(journal: Journal) -> None:
    entry = Entry()
    entry.prepare(effect_prepared("d", "out", "route", "key", 1.0, journal.process, claim="bytes"))
    entry.add(NUMBERS, NumberWanted("ACME", "d", "out", "route", "{}", "body", 1.0, journal.process))
    committed = await journal.commit(entry)
    assert committed.of(NUMBERS) == {}
    assert await ControlCounter(journal).last("ACME") == 0


async def test_a_number_that_was_taken_is_found_again_by_the_effect_that_never_got_its_bytes(journal: Journal) -> None:
    for _ in range(2):
        entry = Entry()
        entry.prepare(effect_prepared("d", "out", "route", "key", 1.0, journal.process))
        entry.add(NUMBERS, NumberWanted("ACME", "d", "out", "route", "{}", "body", 1.0, journal.process))
        committed = await journal.commit(entry)
        assert committed.of(NUMBERS) == {("d", "out"): 1}


async def test_an_entry_that_fails_takes_no_number(journal: Journal) -> None:
    poison = Entry()
    poison.message("d0", None, "n", "c", "", 1.0)  # type: ignore[arg-type]
    poison.add(NUMBERS, NumberWanted("ACME", "d0", "out", "route", "{}", "body", 1.0, journal.process, 1))
    results = await asyncio.gather(journal.commit(poison), take_number(journal, "d1"), return_exceptions=True)
    assert isinstance(results[0], Exception)
    assert results[1] == 1


class TestSeeding:
    """A site that comes from another hub goes on where that one stopped."""

    async def test_the_next_number_is_the_one_that_was_said_and_who_said_it_is_kept(self, journal: Journal) -> None:
        counter = ControlCounter(journal)
        await take_number(journal, "d0")
        assert await counter.seed("ACME", 5000, "ada@host") == {"before": 2, "after": 5000}
        assert await take_number(journal, "d1") == 5000
        (seed,) = await counter.seeds("ACME")
        assert (seed["who"], seed["before"], seed["after"]) == ("ada@host", 2, 5000)
        assert await counter.seeds("BOLT") == []

    async def test_a_number_that_was_used_is_refused_and_nothing_changes(self, journal: Journal) -> None:
        counter = ControlCounter(journal)
        await counter.seed("ACME", 5000, "ada")
        await take_number(journal, "d1")
        with pytest.raises(HubError, match="up to 5000: the next one is 5001 or more"):
            await counter.seed("ACME", 5000, "ada")
        assert await take_number(journal, "d2") == 5001

    async def test_a_counter_that_was_set_too_high_is_set_back_while_nothing_was_taken(self, journal: Journal) -> None:
        counter = ControlCounter(journal)
        await counter.seed("ACME", 5000, "ada")
        await counter.seed("ACME", 500, "ada")
        assert await take_number(journal, "d") == 500

    @pytest.mark.parametrize("number", [0, -1, MOST + 1])
    async def test_a_number_that_nine_digits_dont_hold_is_refused(self, journal: Journal, number: int) -> None:
        with pytest.raises(HubError, match="1 to 999999999"):
            await ControlCounter(journal).seed("ACME", number, "ada")


def prepared(journal: Journal, document: str, at: float) -> Entry:
    entry = Entry()
    entry.message(document, "erp", "f", "c", "", at, document="invoice@1", number=f"no {document}")
    entry.prepare(effect_prepared(document, "out", "route", f"key {document}", at, journal.process))
    entry.add(NUMBERS, NumberWanted("ACME", document, "out", "route", "{}", "body", at, journal.process))
    return entry


async def test_the_list_says_what_became_of_each_number_and_why_one_is_a_gap(journal: Journal) -> None:
    for at, document in enumerate(("sent", "refused", "waiting", "anew"), 1):
        await journal.commit(prepared(journal, document, float(at)))
    entry = Entry()
    entry.add(RECORD_SENT, Sent("sent", "out", 1, 10.0, 60.0, "810"))
    state = EffectState("refused", "out", "route", EffectStatus.PREPARED, 1, "key refused", None, None, 0, True)
    entry.settle(state, EffectStatus.DEAD, 1, 11.0, text="the writer: no price")
    for document in ("refused", "anew"):
        entry.event(document, 11.0, Stage.DEAD, route="route", destination="out", text="the writer: no price")
    await journal.commit(entry)

    async def anew(connection: AsyncConnection) -> None:
        table = schema.effect
        await connection.execute(sa.update(table).where(table.c.document_id == "anew").values(generation=2))

    await journal.change(anew)
    found = {story.document_id: story for story in await InterchangesSent(journal).stories("ACME")}
    assert [story.control_number for story in found.values()] == [4, 3, 2, 1]
    sent = found["sent"]
    assert (sent.gap, sent.why, sent.sent_at, sent.ack, sent.ack_due_at) == (False, "", 10.0, "awaiting", 70.0)
    assert (sent.document, sent.number, sent.transaction_set, sent.destination) == (
        "invoice@1",
        "no sent",
        "810",
        "out",
    )
    assert (found["refused"].gap, found["refused"].why) == (True, "dead: the writer: no price")
    assert (found["waiting"].gap, found["waiting"].why) == (False, "about to be sent")
    assert (found["anew"].gap, found["anew"].why) == (
        True,
        "dead: the writer: no price; sent anew under another number",
    )
    assert await InterchangesSent(journal).stories("BOLT") == []
