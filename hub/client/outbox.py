"""The outbox: a business transaction and its event are one, because both are rows of one database.

    engine = sqlalchemy.create_engine(...)
    outbox = Outbox()
    outbox.create(engine)                                     # once, or take `outbox.table` into your migrations

    with engine.begin() as connection:                        # or session.connection()
        connection.execute(orders.insert(), ...)
        outbox.add(connection, order, exchange="shop.events", key="order.placed")

    with HubClient(url) as hub:                               # in a loop of its own: a thread, a cron, a Celery beat
        outbox.relay(engine, hub)

Nothing is published that was rolled back, and nothing committed is forgotten: a row goes when the broker has confirmed
it. A crash between confirm and delete publishes the same bytes again, which the hub recognises.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hub.client.client import HubClient, canonical
from hub.clock.system_clock import SystemClock
from hub.core.clock import read_utc
from hub.documents.base import Document

AT_ONCE = 100
"""Rows that one transaction of the relay takes."""


class Outbox:
    """One table. Several relays may run: with PostgreSQL, MySQL 8 and Oracle each takes other rows."""

    def __init__(self, name: str = "hub_outbox", metadata: sa.MetaData | None = None) -> None:
        self.table = sa.Table(
            name,
            metadata if metadata is not None else sa.MetaData(),
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("sequence", sa.DateTime(timezone=True), nullable=False, index=True),
            sa.Column("exchange", sa.String(255), nullable=False),
            sa.Column("key", sa.String(255), nullable=False),
            sa.Column("document", sa.String(100), nullable=False),
            sa.Column("correlation_id", sa.String(255)),
            sa.Column("body", sa.LargeBinary, nullable=False),
        )

    def create(self, engine: sa.Engine) -> None:
        """Makes the table where there is none."""
        self.table.metadata.create_all(engine, tables=[self.table], checkfirst=True)

    def add(
        self,
        connection: sa.Connection,
        document: Document | Mapping[str, Any] | bytes,
        *,
        exchange: str,
        key: str,
        as_: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Writes the document into the caller's transaction. Raises DecodeError for what is no document: nothing is
        written."""
        name, body = canonical(document, as_)
        row = {
            "id": uuid.uuid4().hex,
            "sequence": read_utc(SystemClock()),
            "exchange": exchange,
            "key": key,
            "document": name,
            "correlation_id": correlation_id,
            "body": body,
        }
        connection.execute(sa.insert(self.table).values(row))

    def relay(self, engine: sa.Engine, client: HubClient) -> int:
        """Publishes what waits, in the order in which it was added, and removes it; how many there were. Raises what
        the client raises: what was confirmed before is gone from the table, the rest waits for the next call."""
        published = 0
        while count := self._some(engine, client):
            published += count
        return published

    def _some(self, engine: sa.Engine, client: HubClient) -> int:
        table = self.table
        oldest = (
            sa.select(table).order_by(table.c.sequence, table.c.id).limit(AT_ONCE).with_for_update(skip_locked=True)
        )
        done: list[str] = []
        with engine.connect() as connection:
            try:
                for row in connection.execute(oldest).all():
                    client.publish(
                        bytes(row.body),
                        exchange=row.exchange,
                        key=row.key,
                        as_=row.document,
                        correlation_id=row.correlation_id,
                    )
                    done.append(row.id)
            finally:
                self._remove(connection, done)
                connection.commit()
        return len(done)

    def _remove(self, connection: sa.Connection, ids: list[str]) -> None:
        if ids:
            connection.execute(sa.delete(self.table).where(self.table.c.id.in_(ids)))
