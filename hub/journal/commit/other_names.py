"""Further names of a message. The first stands in the message's own row; the same bytes may come again under
another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection

from hub.journal.commit.bulk import SQLITE_PARAMETERS, clean, encodable
from hub.journal.commit.writer import Change

LONGEST_KEY = 512
"""Characters of a business key that are kept: an index has its limits, and no honest number is longer."""

KIND = "name"
"""The kind of the business key that a further name is."""


class OtherName(NamedTuple):
    """What a message was called this time."""

    message_id: str
    name: str


def keep_other_names(connection: Connection, named: Sequence[OtherName]) -> None:
    """Those that differ from the name in the message's row become business keys."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_insert("($1::text, $2::text)"), [clean(one) for one in named])
        return
    most = SQLITE_PARAMETERS // 2
    for start in range(0, len(named), most):
        part = named[start : start + most]
        connection.exec_driver_sql(_sqlite_text(len(part)), tuple(chain.from_iterable(map(encodable, part))))


@lru_cache(maxsize=1024)
def _sqlite_text(rows: int) -> str:
    return _insert(",".join(["(?,?)"] * rows))


def _insert(values: str) -> str:
    return (
        f"WITH named (id, name) AS (VALUES {values}) INSERT INTO business_key (value, kind, message_id) SELECT"
        f" substr(named.name, 1, {LONGEST_KEY}), '{KIND}', named.id FROM named JOIN message ON message.id = named.id"
        " WHERE message.name <> named.name ON CONFLICT DO NOTHING"
    )


OTHER_NAMES: Change[OtherName] = Change(keep_other_names)
