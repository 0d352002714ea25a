"""An agreement at work: what a partner's file says is what happens to what they send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.app.running_hub import RunningHub
from hub.core.ports import Arrival, BytesBody
from hub.journal import schema
from hub.runtime.intake import repeated_acknowledgments
from hub.runtime.intake.repeated_acknowledgments import MOST_A_DAY
from tests.golden.x12_files import FIXTURES
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk
from tests.support.stories import dead_letters

SMALL = (FIXTURES / "850-small.edi").read_bytes()
ACME = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
group: {we: HUB, they: ACMEPO}
x12:
  receive: ["850", "997"]
  acknowledge: {with: "997"}
  duplicates: {days: 30}
  delimiters: {element: "|", terminator: "'", newline: crlf}
  overlays: {"850": [{at: BEG/BEG02, codes: [SA]}]}
"""


@pytest.fixture
def site(tmp_path: Path) -> SiteOnDisk:
    made = SiteOnDisk(tmp_path)
    made.write("config/partners/acme.yaml", ACME)
    destinations = (tmp_path / "config/destinations.yaml").read_text()
    acme_out = 'acme-out:\n  file: {folder: var/out, name: "{set}_{control_number}.edi"}\n  write: {x12: ACME}\n'
    made.write("config/destinations.yaml", destinations + acme_out)
    return made


@pytest.fixture
async def hub(site: SiteOnDisk) -> AsyncIterator[RunningHub]:
    async with site.running() as running:
        yield running


async def answers(site: SiteOnDisk, count: int) -> dict[str, list[str]]:
    """What went out to the partner, by file name: its segments."""
    folder = site.folder / "var/out"

    async def there() -> bool:
        return len(list(folder.glob("*.edi"))) >= count

    await eventually(there)
    return {path.name: path.read_bytes().decode().split("'\r\n") for path in sorted(folder.glob("*.edi"))}


async def test_what_came_in_is_acknowledged_in_the_agreed_form(hub: RunningHub, site: SiteOnDisk) -> None:
    site.drop("a.edi", SMALL, "var/edi")
    (segments,) = (await answers(site, 1)).values()
    assert segments[0].startswith("ISA|00|          |00|          |01|068717859      |01|043645501      |")
    assert segments[1].startswith("GS|FA|HUB|ACMEPO|")
    assert segments[2:7] == ["ST|997|0001", "AK1|PO|7", "AK2|850|0001", "AK5|A", "AK9|A|1|1|1"]


async def test_a_break_of_the_overlay_is_rejected_with_its_place_and_its_neighbours_are_taken(
    hub: RunningHub, site: SiteOnDisk
) -> None:
    body = (FIXTURES / "850-two-groups.edi").read_bytes()
    assert body.count(b"BEG*00*SA*") == 3
    site.drop("a.edi", body.replace(b"BEG*00*SA*", b"BEG*00*RL*", 1), "var/edi")
    told = await answers(site, 2)
    codes = sorted(line for segments in told.values() for line in segments if line.startswith(("AK5", "AK4")))
    assert codes == ["AK4|2|92|7|RL", "AK5|A", "AK5|A", "AK5|R|5"]
    (dead,) = await dead_letters(hub, 1, kind="source")
    assert "found 'RL', expected one of SA" in dead.cause


async def test_a_changed_verdict_on_the_same_bytes_is_acknowledged_anew_and_an_equal_one_is_not(
    hub: RunningHub, site: SiteOnDisk
) -> None:
    body = (FIXTURES / "850-two-groups.edi").read_bytes().replace(b"BEG*00*SA*", b"BEG*00*RL*", 1)
    site.drop("a.edi", body, "var/edi")
    await answers(site, 2)
    site.drop("again.edi", body, "var/edi")  # an equal verdict: what a redelivery looks like
    (dead,) = await dead_letters(hub, 1, kind="source")
    done = site.folder / "var/edi/done"
    await eventually(lambda: asyncio.sleep(0, len(list(done.iterdir())) == 2))
    repaired = ACME.replace("codes: [SA]", "codes: [SA, RL]")
    for agreement, count in ((ACME, 2), (repaired, 3), (repaired, 3), (ACME, 4)):
        site.write("config/partners/acme.yaml", agreement)
        await hub.reload()
        arrival = Arrival("edi", BytesBody(body), name="a.edi")
        if count == 3:
            await hub.intake.take(arrival, only=dead.position, parent=dead.id)  # as the replay of the letter does
        else:
            await hub.intake.take(arrival)
        told = await answers(site, count)
        assert len(told) == count
    codes = [[line for line in segments if line.startswith(("AK5", "AK9"))] for segments in told.values()]
    assert sum("AK5|R|5" in group for group in codes) == 2


async def test_test_traffic_is_acknowledged_as_test_traffic(hub: RunningHub, site: SiteOnDisk) -> None:
    site.drop("a.edi", SMALL.replace(b"*P*>", b"*T*>"), "var/edi")
    (segments,) = (await answers(site, 1)).values()
    assert segments[0].endswith("|T|>")


async def test_an_interchange_number_that_comes_again_is_refused_by_a_ta1(hub: RunningHub, site: SiteOnDisk) -> None:
    site.drop("a.edi", SMALL, "var/edi")
    await answers(site, 1)
    site.drop("b.edi", SMALL.replace(b"*104582*", b"*104583*"), "var/edi")
    told = await answers(site, 2)
    assert [line for line in told["TA1_000000002.edi"] if line.startswith("TA1")] == ["TA1|000000007|260302|0815|R|025"]


async def test_a_set_that_isnt_agreed_is_refused_and_acknowledged_as_such(hub: RunningHub, site: SiteOnDisk) -> None:
    site.drop("a.edi", (FIXTURES / "810-invoice.edi").read_bytes(), "var/edi")
    (segments,) = (await answers(site, 1)).values()
    assert [line for line in segments if line.startswith("AK5")] == ["AK5|R|1"]
    (dead,) = await dead_letters(hub, 1, kind="source")
    assert "ACME sends 810, and the agreement has only 850, 997" in dead.cause


async def made_and_delivered(hub: RunningHub) -> tuple[int, int]:
    """How many acknowledgments of ours were made, and how many their destination has."""
    message, effect = schema.message, schema.effect

    async def query(connection: AsyncConnection) -> tuple[int, int]:
        ours = sa.select(message.c.id, effect.c.status).outerjoin(effect, effect.c.document_id == message.c.id)
        rows = (await connection.execute(ours.where(message.c.direction == "outbound"))).all()
        return len(rows), sum(row.status == "delivered" for row in rows)

    counts: tuple[int, int] = await hub.journal.read(query)
    return counts


async def all_delivered(hub: RunningHub, count: int) -> None:
    async def there() -> bool:
        return await made_and_delivered(hub) == (count, count)

    await eventually(there)


async def set_status(hub: RunningHub, before: str, after: str) -> None:
    async def query(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(schema.effect).where(schema.effect.c.status == before).values(status=after))

    await hub.journal.change(query)


@pytest.fixture
async def repeating(site: SiteOnDisk) -> AsyncIterator[RunningHub]:
    site.write("config/partners/acme.yaml", ACME.replace('{with: "997"}', '{with: "997", repeat: true}'))
    async with site.running() as running:
        yield running


async def test_a_partner_who_sends_the_same_file_again_gets_the_same_acknowledgment_under_a_new_number(
    repeating: RunningHub, site: SiteOnDisk
) -> None:
    for count in (1, 2, 3):
        site.drop("a.edi", SMALL, "var/edi")
        await all_delivered(repeating, count)
    told = list((await answers(site, 3)).values())
    numbers = {segments[0].split("|")[13] for segments in told}
    assert len(numbers) == 3
    assert [segments[2:7] for segments in told] == [told[0][2:7]] * 3


async def test_an_arrival_that_is_only_offered_again_is_never_acknowledged_again(
    repeating: RunningHub, site: SiteOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, arrival = repeating, Arrival("edi", BytesBody(SMALL), name="a.edi")
    count = 1
    taken = await hub.intake.take(arrival)
    for repeats in range(1, MOST_A_DAY + 1):
        await all_delivered(hub, count)
        taken = await hub.intake.take(arrival)  # a crash came before the source had put it away
        assert await made_and_delivered(hub) == (count, count)
        await taken.settled()
        await set_status(hub, "delivered", "held")
        await hub.intake.take(arrival)
        assert await made_and_delivered(hub) == (count, 0)  # the earlier one has not arrived
        await set_status(hub, "held", "delivered")
        taken = await hub.intake.take(arrival)
        count = 1 + repeats
    await all_delivered(hub, count)
    await taken.settled()
    taken = await hub.intake.take(arrival)
    await taken.settled()
    assert await made_and_delivered(hub) == (count, count)  # three were repeated today
    monkeypatch.setattr(repeated_acknowledgments, "DAY", 0.0)
    await hub.intake.take(arrival)
    await all_delivered(hub, count + 1)
    assert len(await answers(site, count + 1)) == count + 1


async def test_a_new_verdict_begins_anew_and_a_replay_repeats_nothing(repeating: RunningHub, site: SiteOnDisk) -> None:
    hub, arrival = repeating, Arrival("edi", BytesBody(SMALL), name="a.edi")
    await (await hub.intake.take(arrival)).settled()
    await all_delivered(hub, 1)
    await hub.intake.take(arrival, parent="0" * 32)
    assert await made_and_delivered(hub) == (1, 1)
    changed = (site.folder / "config/partners/acme.yaml").read_text().replace("codes: [SA]", "codes: [RL]")
    site.write("config/partners/acme.yaml", changed)
    await hub.reload()
    await hub.intake.take(arrival)
    await all_delivered(hub, 2)
    taken = await hub.intake.take(arrival)  # a crash came before the source had put it away
    assert await made_and_delivered(hub) == (2, 2)
    await taken.settled()
    await hub.intake.take(arrival)
    await all_delivered(hub, 3)
