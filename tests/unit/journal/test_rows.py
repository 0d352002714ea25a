"""The rows by name are the rows of the tables."""

from __future__ import annotations

from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest
import sqlalchemy as sa

from hub.core.once_key import OnceStatus
from hub.journal import rows, schema
from hub.journal.batches.batch_dissolving import CLOSED
from hub.journal.commit.bulk import RECEIVED, SENT, Bulk
from hub.journal.commit.entry import Entry
from hub.journal.commit.writers import ROWS
from hub.journal.deliveries.effects import STATES, EffectAsked
from hub.journal.deliveries.once_keys import HOLDERS, OnceAsked
from hub.journal.journal import Journal
from hub.journal.timeline import Timeline

BULKS: list[Bulk[Any]] = [*ROWS, SENT, RECEIVED, CLOSED]

READ = [
    (rows.EffectRow, schema.effect),
    (rows.HoldRow, schema.hold),
    (rows.OnceRow, schema.once_key),
    (rows.MessageRow, schema.message),
    (rows.DeadLetterRow, schema.dead_letter),
    (rows.InterchangeSentRow, schema.interchange_sent),
    (rows.InterchangeReceivedRow, schema.interchange_received),
    (rows.BatchRow, schema.batch),
    (rows.BatchMemberRow, schema.batch_member),
    (rows.RepetitionRow, schema.repetition),
    (rows.CommandRow, schema.command),
    (rows.SuspectRow, schema.suspect),
    (rows.ProcessRow, schema.process),
]


LIKE = [
    (rows.DeadLetterFound, rows.DeadLetterRow, ("file", "claim", "position")),
    (rows.StuckBatch, rows.BatchRow, ("cause",)),
]


def of_column(column: sa.Column[Any]) -> tuple[type, bool]:
    return column.type.python_type, bool(column.nullable)


def of_field(row: type[NamedTuple], name: str) -> tuple[type, bool]:
    hint = get_type_hints(row)[name]
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
    (kind,) = kinds
    return (str if issubclass(kind, str) else kind), NoneType in get_args(hint)


@pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.row.__name__)
def test_a_row_that_is_written_fits_its_table(bulk: Bulk[Any]) -> None:
    table = schema.metadata.tables[bulk.table]
    for name in bulk.columns:
        kind, optional = of_field(bulk.row, name)
        column, nullable = of_column(table.c[name])
        assert (kind, optional and not nullable) == (column, False), name


@pytest.mark.parametrize(("row", "table"), READ, ids=lambda one: getattr(one, "__name__", ""))
def test_a_row_that_is_read_is_what_its_table_holds(row: type[NamedTuple], table: sa.Table) -> None:
    assert {name: of_field(row, name) for name in row._fields} == {column.name: of_column(column) for column in table.c}


@pytest.mark.parametrize(("row", "like", "more"), LIKE, ids=lambda one: getattr(one, "__name__", ""))
def test_a_row_with_more_has_what_the_table_holds_first(
    row: type[NamedTuple], like: type[NamedTuple], more: tuple[str, ...]
) -> None:
    assert row._fields == (*like._fields, *more)
    assert all(of_field(row, name) == of_field(like, name) for name in like._fields)


@pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.row.__name__)
def test_a_row_has_all_that_its_table_needs(bulk: Bulk[Any]) -> None:
    table = schema.metadata.tables[bulk.table]
    needed = [column.name for column in table.c if not column.nullable and column.autoincrement is not True]
    assert [name for name in needed if name not in bulk.columns] == []


async def test_words_of_a_newer_release_are_shown_and_never_acted_on(journal: Journal) -> None:
    """It may work beside this one. What it says of a sending is not this process's to send, and its key is not
    free."""
    effect = {"document_id": "d1", "destination": "out", "route": "r", "key": "k", "generation": 1, "attempts": 0}
    effect |= {"status": "teleported", "first_at": 1.0, "updated_at": 1.0, "claimed_by": journal.process}
    once = {"route": "r", "value": "7", "owner": "d1", "status": "teleported", "updated_at": 1.0}
    event = {"message_id": "d1", "at": 2.0, "stage": "teleported"}
    for table, values in ((schema.effect, effect), (schema.once_key, once), (schema.event, event)):
        await journal.execute(sa.insert(table).values(**values))
    entry = Entry()
    entry.message("d1", "shop", "a.json", "c" * 64, "", 1.0)
    entry.add(STATES, EffectAsked("d1", "out", journal.process))
    entry.add(HOLDERS, OnceAsked("r", "7"))
    committed = await journal.commit(entry)
    state, holder = committed.of(STATES)["d1", "out"], committed.of(HOLDERS)[OnceAsked("r", "7")]
    assert (state.mine, state.finished) == (False, False)
    assert (holder.owner, holder.status) == ("d1", OnceStatus.PENDING)
    (story,) = await Timeline(journal).trace("d1")
    assert [str(found.stage) for found in story.events] == ["received", "teleported"]
