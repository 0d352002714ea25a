"""A partner's control number counter, as an administrator sees and sets it."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import HubError
from hub.journal import schema
from hub.journal.commands import CommandStatus
from hub.journal.interchanges.control_numbers import MOST, locked
from hub.journal.journal import Journal
from hub.journal.rows import CommandRow, columns

SEEDED = "partner.numbers"
"""The kind of command under which a change of the counter is journaled."""


class ControlCounter:
    """Reads and sets counters."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def last(self, partner: str) -> int:
        """The last number of the partner; 0 before the first."""
        table = schema.control_counter

        async def query(connection: AsyncConnection) -> int:
            select = sa.select(table.c.last).where(table.c.partner == partner)
            return int((await connection.execute(select)).scalar() or 0)

        return await self._journal.read(query)

    async def seed(self, partner: str, following: int, who: str) -> dict[str, int]:
        """Makes `following` the partner's next number: `{"before": n, "after": n}`, the next numbers then and now.
        Journaled with who did it. Raises HubError for a number that was taken already, and for none that ISA13 can
        hold."""
        if not 1 <= following <= MOST:
            raise HubError(f"the next control number is one of 1 to {MOST}, found {following}")
        counter, sent = schema.control_counter, schema.interchange_sent
        table, now = schema.command, self._journal.clock()

        async def write(connection: AsyncConnection) -> dict[str, int]:
            before = await connection.run_sync(locked, partner) + 1
            used = sa.select(sa.func.max(sent.c.control_number)).where(sent.c.partner == partner)
            highest = (await connection.execute(used)).scalar() or 0
            if following <= highest:
                raise HubError(
                    f"{partner} has used the control numbers up to {highest}: the next one is {highest + 1} or more"
                )
            await connection.execute(sa.update(counter).where(counter.c.partner == partner).values(last=following - 1))
            result = {"before": before, "after": following}
            await connection.execute(
                sa.insert(table).values(
                    id=uuid.uuid4().hex,
                    kind=SEEDED,
                    arguments=orjson.dumps({"partner": partner, "next": following}).decode(),
                    who=who,
                    status=CommandStatus.DONE,
                    result=orjson.dumps(result).decode(),
                    created_at=now,
                    done_at=now,
                )
            )
            return result

        return await self._journal.change(write)

    async def skip(self, count: int) -> dict[str, int]:
        """Leaves out the next `count` numbers of every partner; the last number of each then."""
        table = schema.control_counter
        beyond = sa.case((table.c.last > MOST - count, MOST), else_=table.c.last + count)

        async def write(connection: AsyncConnection) -> dict[str, int]:
            if count:
                await connection.execute(sa.update(table).values(last=beyond))
            rows = await connection.execute(sa.select(table.c.partner, table.c.last).order_by(table.c.partner))
            return {row.partner: row.last for row in rows}

        return await self._journal.change(write)

    async def seeds(self, partner: str) -> list[dict[str, Any]]:
        """Every change of the partner's counter, oldest first: `{"at", "who", "before", "after"}`."""
        table = schema.command
        select = sa.select(*columns(CommandRow, table)).where(table.c.kind == SEEDED).order_by(table.c.created_at)

        return [
            {"at": row.created_at, "who": row.who, **orjson.loads(row.result or "{}")}
            for row in await self._journal.rows(CommandRow, select)
            if orjson.loads(row.arguments).get("partner") == partner and row.status == CommandStatus.DONE
        ]
