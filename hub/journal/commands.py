"""Commands to a running hub, as rows: the faces write them, the hub that runs carries them out. They are also the
record of what administrators did."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.journal import schema
from hub.journal.journal import Journal
from hub.journal.processes.host import gone
from hub.journal.processes.processes import living
from hub.journal.rows import CommandRow, ProcessRow, columns, typed


class CommandStatus(StrEnum):
    """How far a command is. `failed` has an error as its result."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (CommandStatus.PENDING, CommandStatus.RUNNING)


def addressed(kind: str, process: str) -> str:
    """The kind of a command that only one process carries out."""
    return f"{kind}@{process}"


class Commands:
    """Commands with their results, which are JSON."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def submit(self, kind: str, arguments: dict[str, Any], who: str) -> str:
        """The id of the new command."""
        id = uuid.uuid4().hex
        values = {
            "id": id,
            "kind": kind,
            "arguments": orjson.dumps(arguments).decode(),
            "who": who,
            "status": CommandStatus.PENDING,
            "created_at": self._journal.clock(),
        }

        await self._journal.execute(sa.insert(schema.command).values(values))
        return id

    async def submit_to_all(
        self, kind: str, arguments: dict[str, Any], who: str, *, but: str = ""
    ) -> list[tuple[str, ProcessRow]]:
        """One command for each process that lives: its id, and the process. `but`: a process that needs none."""
        others = [row for row in await self.processes() if row.id != but]
        return [(await self.submit(addressed(kind, row.id), arguments, who), row) for row in others]

    async def state(self, id: str) -> tuple[CommandStatus, dict[str, Any]]:
        """(status, result)."""

        mine = sa.select(*columns(CommandRow, schema.command)).where(schema.command.c.id == id)

        (row,) = await self._journal.rows(CommandRow, mine)
        return CommandStatus(row.status), orjson.loads(row.result) if row.result else {}

    async def take(self, process: str) -> list[CommandRow]:
        """Pending commands, now running in this process; also those of a process that is gone."""
        table = schema.command

        async def write(connection: AsyncConnection) -> list[CommandRow]:
            living_now = living(self._journal.is_sqlite)
            running = table.c.status == CommandStatus.RUNNING
            orphan = sa.and_(running, table.c.taken_by.not_in(living_now), table.c.taken_by != process)
            for_me = sa.or_(table.c.kind.not_like(addressed("%", "%")), table.c.kind.like(addressed("%", process)))
            open_ = sa.and_(sa.or_(table.c.status == CommandStatus.PENDING, orphan), for_me)
            select = sa.select(*columns(CommandRow, table)).where(open_).order_by(table.c.created_at)
            mine = []
            for row in typed(CommandRow, await connection.execute(select)):
                take = sa.update(table).where(table.c.id == row.id, open_)
                taken = await connection.execute(take.values(status=CommandStatus.RUNNING, taken_by=process))
                if taken.rowcount == 1:
                    mine.append(row)
            return mine

        return await self._journal.change(write)

    async def finish(self, id: str, status: CommandStatus, result: dict[str, Any]) -> None:
        values = {
            "status": status,
            "result": orjson.dumps(result, default=str).decode(),
            "done_at": self._journal.clock(),
        }

        await self._journal.execute(sa.update(schema.command).where(schema.command.c.id == id).values(values))

    async def processes(self) -> list[ProcessRow]:
        """The hub processes that live."""
        table, alive = schema.process, schema.process.c.id.in_(living(self._journal.is_sqlite))
        select = sa.select(*columns(ProcessRow, table)).where(alive).order_by(table.c.started_at)

        return [row for row in await self._journal.rows(ProcessRow, select) if not gone(row.host, row.pid)]
