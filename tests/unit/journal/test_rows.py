"""The rows by name are the rows of the tables."""

from __future__ import annotations

from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest
import sqlalchemy as sa

from hub.journal import rows, schema
from hub.journal.batches.batch_dissolving import CLOSED
from hub.journal.commit.bulk import RECEIVED, SENT, Bulk
from hub.journal.commit.writers import ROWS

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
