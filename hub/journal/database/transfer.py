"""The whole history from one journal database to another, in one transaction, counted and compared before its
commit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.core.errors import ConfigError, JournalUnavailable
from hub.journal import schema
from hub.journal.commit.bulk import clean
from hub.journal.database.engines import make_engine
from hub.journal.database.faults import first_line
from hub.journal.database.urls import engine_url, show_url, sqlite_path
from hub.journal.migrate import upgrade

PATIENCE = 24 * 3600.0
"""Seconds that one statement of a copy may take."""

ROWS = 500
"""Rows that are in memory at once."""

OF_PROCESSES = frozenset((schema.process.name, schema.lease.name))
"""Tables that tell of processes that run now. They are not history."""

COPIED_FROM = "hub:journal"
COPIED_TO = "copied_to"
"""The row of `memory` that says of a journal that it goes on elsewhere."""

Progress = Callable[[str, int], None]
"""Told now and then: the table, and how many of its rows have been copied."""


@dataclass(slots=True)
class Sum:
    """How many rows, and a checksum of them in any order."""

    rows: int = 0
    checksum: int = 0

    def add(self, values: Sequence[Any]) -> None:
        packed = orjson.dumps(list(values), default=_digest)
        self.rows += 1
        self.checksum = (self.checksum + int.from_bytes(hashlib.sha256(packed).digest()[:16])) % (1 << 128)


@dataclass(slots=True)
class Transferred:
    """What has been copied: rows by table, and one checksum over all."""

    tables: dict[str, int] = field(default_factory=dict)
    checksum: str = ""

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


class JournalTransfer:
    """Copies from `source` to `target`, which are journal URLs or paths. A target that holds rows is refused.
    Everything is one transaction of the target: what is interrupted leaves nothing behind, and may simply be begun
    again."""

    def __init__(self, source: str, target: str, progress: Progress = lambda table, rows: None) -> None:
        self._from, self._to = engine_url(source), engine_url(target)
        self._progress = progress
        if self._from == self._to:
            raise ConfigError(
                f"{show_url(self._from)} can't be copied to itself", hint="name the old journal with --from"
            )

    async def run(self) -> Transferred:
        """Raises ConfigError when the source is no journal or the target holds rows, JournalUnavailable when one of the
        two can't be reached or the copy is not equal."""
        path = sqlite_path(self._from) if self._from.startswith("sqlite") else None
        if path is not None and not path.is_file():
            raise ConfigError(f"there is no journal {path}", hint="name the old journal with --from")
        target = sqlite_path(self._to) if self._to.startswith("sqlite") else None
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
        here, there = make_engine(self._from, PATIENCE), make_engine(self._to, PATIENCE)
        try:
            await upgrade(here)
            await upgrade(there)
            return await self._between(here, there)
        except (SQLAlchemyError, OSError) as error:
            text = f"{show_url(self._from)} can't be copied to {show_url(self._to)}: {first_line(error)}"
            raise JournalUnavailable(text) from error
        finally:
            await here.dispose()
            await there.dispose()

    async def _between(self, here: AsyncEngine, there: AsyncEngine) -> Transferred:
        done = Transferred()
        whole = hashlib.sha256()
        async with here.connect() as source, there.begin() as target:
            await _one_view(source)
            await self._refuse_rows(target)
            for table in tables():
                read = await self._table(table, source, target)
                written = await _sum_of(table, target, lambda rows: None)
                if read != written:
                    found = (
                        f"{written.rows} rows arrived of {read.rows}" if read.rows != written.rows else "rows differ"
                    )
                    raise JournalUnavailable(
                        f"the copy of table {table.name} is not equal ({found}): nothing was copied"
                    )
                done.tables[table.name] = read.rows
                whole.update(f"{table.name} {read.rows} {read.checksum:032x}\n".encode())
            await _go_on_counting(target)
        done.checksum = whole.hexdigest()
        return done

    async def _refuse_rows(self, target: AsyncConnection) -> None:
        """Keeps others from writing meanwhile."""
        names = [table.name for table in tables()]
        if target.dialect.name == "postgresql":
            await target.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
        for name in names:
            if (await target.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None:
                raise ConfigError(
                    f"the journal {show_url(self._to)} is not empty: its table {name} holds rows",
                    hint=(
                        "copy into an empty database; a hub that has begun on it must be stopped, and the database made"
                        " anew"
                    ),
                )

    async def _table(self, table: sa.Table, source: AsyncConnection, target: AsyncConnection) -> Sum:
        names, textual = [column.name for column in table.columns], target.dialect.name == "postgresql"
        read, pending = Sum(), list[dict[str, Any]]()

        async def write() -> None:
            if pending:
                await target.execute(sa.insert(table), pending)
                pending.clear()
                self._progress(table.name, read.rows)

        async with source.stream(_in_pieces(table)) as found:
            async for row in found:
                values = clean(tuple(row)) if textual else tuple(row)
                read.add(values)
                pending.append(dict(zip(names, values, strict=True)))
                if len(pending) >= ROWS:
                    await write()
        await write()
        return read


async def mark_copied(source: str, target: str, at: float) -> None:
    """The source says from now on that it goes on in the target."""
    engine = make_engine(engine_url(source), PATIENCE)
    values = {"owner": COPIED_FROM, "name": COPIED_TO, "value": show_url(engine_url(target)), "updated_at": at}
    table = schema.memory
    mine = (table.c.owner == COPIED_FROM, table.c.name == COPIED_TO)
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.delete(table).where(*mine))
            await connection.execute(sa.insert(table).values(values))
    finally:
        await engine.dispose()


def tables() -> list[sa.Table]:
    """What a journal remembers."""
    return [table for table in schema.metadata.sorted_tables if table.name not in OF_PROCESSES]


def _in_pieces(table: sa.Table) -> Any:
    wanted = sa.select(table)
    if table is schema.memory:
        wanted = wanted.where(table.c.owner != COPIED_FROM)
    return wanted.execution_options(yield_per=ROWS)


async def _sum_of(table: sa.Table, connection: AsyncConnection, told: Callable[[int], None]) -> Sum:
    found = Sum()
    async with connection.stream(_in_pieces(table)) as rows:
        async for row in rows:
            found.add(tuple(row))
    return found


async def _one_view(source: AsyncConnection) -> None:
    """All tables are read as they are at one moment."""
    if source.dialect.name == "postgresql":
        await source.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    else:
        await source.exec_driver_sql("BEGIN")


async def _go_on_counting(target: AsyncConnection) -> None:
    """The ids of events that come go on after those that were copied."""
    if target.dialect.name == "postgresql":
        last = "SELECT setval(pg_get_serial_sequence('event', 'id'), GREATEST((SELECT max(id) FROM event), 1))"
        await target.exec_driver_sql(last)


def _digest(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return hashlib.sha256(bytes(value)).hexdigest()
    raise TypeError(type(value).__name__)
