"""A copy is made again from what was decided, by this release or by an earlier one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from hub.core.routing.recorded_facts import record_facts
from hub.core.stage import Stage
from hub.journal.commit.entry import Entry
from hub.journal.copies.open_copies import OpenCopies
from hub.journal.journal import Journal
from hub.runtime.copy import pack_facts

ID, CLAIM = "ab" * 16, "cd" * 32
FACTS: dict[str, Any] = {"document": "order", "source": "shop", "total": Decimal("1.50"), "test": False, "set": None}

EARLIER = {
    "source": "shop",
    "copy": {"facts": orjson.dumps(FACTS, default=str).decode(), "correlation_id": "c1", "hops": 2},
}
NOW = {"facts": record_facts(FACTS), "copy": {"correlation_id": "c1", "hops": 2}}
ITS_OWN = {"facts": record_facts(FACTS), "copy": {"hops": 2}}


@pytest.mark.parametrize(("detail", "correlation"), [(EARLIER, "c1"), (NOW, "c1"), (ITS_OWN, ID)])
async def test_a_copy_carries_what_it_carried(journal: Journal, detail: dict[str, Any], correlation: str) -> None:
    entry = Entry()
    entry.message(ID, "first", "a.json", CLAIM, "", 1.0, document="order@1", canonical=CLAIM)
    entry.event(ID, 2.0, Stage.MATCHED, detail={"table": "v1", "routes": {"orders": ["erp"]}, **detail})
    await journal.commit(entry)
    (copy,), _ = await OpenCopies(journal).page(0)
    assert (copy.source, copy.correlation_id, copy.hops, copy.send) == ("shop", correlation, 2, ("erp",))
    carried, wanted = orjson.loads(pack_facts(copy.facts)), orjson.loads(pack_facts(FACTS))
    assert {name: value for name, value in carried.items() if value is not None} == {
        name: value for name, value in wanted.items() if value is not None
    }
