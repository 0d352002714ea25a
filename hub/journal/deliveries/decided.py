"""The facts by which a document was matched, as the journal keeps them with what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hub.core.routing.recorded_facts import recorded_facts
from hub.core.stage import Stage
from hub.core.typed_json import loaded, values_again
from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.rows import MessageRow, columns

FACTS = "facts"
"""Of the detail of an event that decides: the facts of the document, with their types (`hub.core.typed_json`)."""

DECIDES = (Stage.MATCHED, Stage.UNMATCHED, Stage.FILTERED)
"""Stages of events that say what was decided about a document, where they name no destination."""


def facts_in(detail: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facts of such an event. None: they are not recorded, because an earlier release decided."""
    record = detail.get(FACTS)
    return recorded_facts(record) if isinstance(record, dict) else None


def terms_in(record: str | bytes | None) -> dict[str, Any] | None:
    """What the source of a message knew beside the bytes: `partner`, `salt`, `facts` and `headers`, each where there
    was one; or `claim`, which holds them. None: not recorded, because the message came to an earlier release. Raises
    ValueError."""
    if record is None:
        return None
    kept = dict(loaded(record))
    return kept | {name: values_again(kept[name]) for name in ("facts", "headers") if name in kept}


async def message_of(journal: Journal, id: str) -> MessageRow | None:
    """The row of a message. Raises JournalUnavailable."""
    table = schema.message
    rows = await journal.rows(MessageRow, sa.select(*columns(MessageRow, table)).where(table.c.id == id))
    return rows[0] if rows else None
