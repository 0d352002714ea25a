"""An arrival of which very much is refused makes a hundred dead letters and one that stands for the rest."""

from __future__ import annotations

from pathlib import Path

from hub.core.ports import Arrival, BytesBody
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.timeline import Timeline
from hub.runtime.intake.remainder import MOST_LETTERS
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.site import INBOX, SiteOnDisk, order
from tests.support.stories import dead_letters, exists
from tests.support.x12 import orders_850

ROUTES = (
    INBOX.replace("{json: order@1}", "{ndjson: {document: order@1, schema: o.schema.json}}")
    + "  edi:\n    file: {folder: var/edi, settle: 0s}\n    read: x12\n"
    + "routes:\n  - {id: orders, when: {document: order, partner: ACME}, to: [files]}\n"
    + "destinations:\n  files:\n    file: {folder: var/out, name: '{number}.json'}\n"
    + "  acme-out:\n    file: {folder: var/acks, name: ack.edi}\n    write: {x12: ACME}\n"
)
BAD = 250
PARTNER = """partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12: {version: "004010", receive: ["850"], send: ["997"], acknowledge: {with: "997"}}
"""


def site_in(folder: Path, schema: str) -> SiteOnDisk:
    site = SiteOnDisk(folder)
    site.write("routes/acme.yaml", ROUTES)
    site.write("config/partners/acme.yaml", PARTNER)
    site.write("routes/schemas/o.schema.json", schema)
    return site


async def test_one_letter_stands_for_the_rest_and_its_replay_covers_it(tmp_path: Path, erp: Erp) -> None:
    site = site_in(tmp_path, '{"required": ["currency"]}')
    lines = [order(str(n)) for n in range(BAD)] + [order("good", currency="USD")]
    arrival = Arrival("inbox", BytesBody(b"\n".join(lines)), "many.ndjson")
    async with site.running() as hub:
        taken = await hub.intake.take(arrival)
        assert (taken.documents, taken.refused) == (1, BAD)
        rows = await dead_letters(hub, MOST_LETTERS + 1, kind="source")
        rest = next(row for row in rows if "more parts" in row.cause)
        assert f"{BAD - MOST_LETTERS} more parts of this arrival are refused; this letter stands for all" in rest.cause
        assert f"The first is {MOST_LETTERS + 1}: " in rest.cause

        again = await hub.intake.take(arrival)
        assert again.refused == BAD
        assert len(await dead_letters(hub, MOST_LETTERS + 1, kind="source")) == MOST_LETTERS + 1

        site.write("routes/schemas/o.schema.json", "{}")
        await hub.reload()
        assert (await hub.replay.replay(DeadFilter(ids=(rest.id,)), "tester"))["replayed"] == 1
        assert len(await dead_letters(hub, MOST_LETTERS, kind="source", status=("dead",))) == MOST_LETTERS
        assert len(await Timeline(hub.journal).trace(str(BAD - 1))) == 1
        (refused,) = await Timeline(hub.journal).trace("50")  # it has a letter of its own, and is found by its number
        assert refused.document is None


async def test_acknowledgments_still_answer_each_transaction(tmp_path: Path, erp: Erp) -> None:
    site = site_in(tmp_path, "{}")
    text = orders_850([str(n) for n in range(BAD)]).decode()
    async with site.running() as hub:
        taken = await hub.intake.take(Arrival("edi", BytesBody(text.replace("BEG*", "BAG*").encode()), "bad.edi"))
        assert taken.refused == BAD
        await dead_letters(hub, MOST_LETTERS + 1, kind="source")
        await eventually(lambda: exists(tmp_path / "var/acks/ack.edi"))
    assert (tmp_path / "var/acks/ack.edi").read_text().count("AK2*850*") == BAD
