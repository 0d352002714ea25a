"""Control numbers of the interchanges that we send: one sequence a partner, no number twice, none lost.

They are taken inside the group commit, so that a number exists exactly when its row is committed: a transaction that
fails takes none, and every number that was taken has a document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.core.ack import UNANSWERED, Ack
from hub.journal import schema
from hub.journal.commit.bulk import SENT
from hub.journal.commit.writer import Change, Question
from hub.journal.deliveries.effects import EffectAsked, EffectKey, EffectState, states
from hub.journal.rows import EffectRow, InterchangeSentRow

MOST = 999_999_999
"""ISA13 has nine digits."""

Key = tuple[str, str, str, int]
"""Partner, document, destination, generation: what has one number."""


@dataclass(frozen=True, slots=True)
class NumberWanted:
    """Asks for the number of one document at one destination. `generation` None: that of its effect, and only while its
    bytes are still to be made by `process`. `headers` and `body` are the copy that it is made from, as a hold would
    keep it."""

    partner: str
    document_id: str
    destination: str
    route: str
    headers: str
    body: str
    at: float
    process: str
    generation: int | None = None


def take(connection: Connection, wanted: Sequence[NumberWanted]) -> dict[EffectKey, int]:
    """The number of each: the one that it has, else the next of its partner. Without one where none is needed, and
    where the sequence is used up. Locks the partners' counters, in the order of their names."""
    asked = [EffectAsked(w.document_id, w.destination, w.process) for w in wanted if w.generation is None]
    known = states(connection, asked) if asked else {}
    by_partner: dict[str, dict[Key, NumberWanted]] = defaultdict(dict)
    for one in wanted:
        generation = one.generation
        if generation is None:
            state = known.get((one.document_id, one.destination))
            generation = state.generation if state is not None and state.needs_bytes else None
        if generation is not None:
            by_partner[one.partner].setdefault((one.partner, one.document_id, one.destination, generation), one)
    found: dict[EffectKey, int] = {}
    for partner in sorted(by_partner):
        numbers = _take_of(connection, partner, by_partner[partner])
        found |= {
            (one.document_id, one.destination): numbers[key]
            for key, one in by_partner[partner].items()
            if key in numbers
        }
    return found


def _take_of(connection: Connection, partner: str, wanted: dict[Key, NumberWanted]) -> dict[Key, int]:
    last = locked(connection, partner)
    found = _find_numbers(connection, partner, [key[1] for key in wanted])
    fresh = [key for key in wanted if key not in found][: MOST - last]
    rows = []
    for number, key in enumerate(fresh, last + 1):
        rows.append(_row_of(wanted[key], number, key[3]))
        found[key] = number
    if rows:
        SENT.write(connection, rows)
        counter = schema.control_counter
        connection.execute(sa.update(counter).where(counter.c.partner == partner).values(last=last + len(rows)))
    return found


def _row_of(one: NumberWanted, number: int, generation: int) -> InterchangeSentRow:
    return InterchangeSentRow(
        partner=one.partner,
        control_number=number,
        document_id=one.document_id,
        destination=one.destination,
        generation=generation,
        route=one.route,
        headers=one.headers,
        body=one.body,
        transaction_set=None,
        taken_at=one.at,
        sent_at=None,
        ack_due_at=None,
        ack=Ack.NONE,
        ack_at=None,
        ack_message=None,
        ack_text=None,
    )


def locked(connection: Connection, partner: str) -> int:
    """The last number of the partner, 0 before the first; nobody else takes one before this transaction ends."""
    insert = "INSERT INTO control_counter (partner, last) VALUES (:partner, 0)"
    touch = "ON CONFLICT (partner) DO UPDATE SET last = control_counter.last RETURNING last"
    return int(connection.execute(sa.text(f"{insert} {touch}"), {"partner": partner}).scalar_one())


def _find_numbers(connection: Connection, partner: str, documents: Sequence[str]) -> dict[Key, int]:
    table, found = schema.interchange_sent, {}
    for start in range(0, len(documents), 900):
        part = documents[start : start + 900]
        columns = (table.c.document_id, table.c.destination, table.c.generation, table.c.control_number)
        select = sa.select(*columns).where(table.c.partner == partner, table.c.document_id.in_(part))
        for row in connection.execute(select):
            found[partner, row.document_id, row.destination, row.generation] = row.control_number
    return found


@dataclass(frozen=True, slots=True)
class Sent:
    """An interchange that has left. `within`: seconds in which it is to be acknowledged, None: it isn't."""

    document_id: str
    destination: str
    generation: int
    at: float
    within: float | None
    transaction_set: str | None

    @classmethod
    def of(cls, effect: EffectState | EffectRow, facts: Mapping[str, Any], at: float) -> Sent:
        """The sending of an effect, and the facts of the bytes that have left."""
        set_ = str(facts["set"]) if facts.get("set") else None
        return cls(effect.document_id, effect.destination, effect.generation, at, effect.expect_ack, set_)


def record_sent(connection: Connection, sent: Sequence[Sent]) -> None:
    """Notes the sending; from now on the acknowledgment is awaited, unless it is there already. Nothing happens to what
    has no control number."""
    table = schema.interchange_sent
    for one in sent:
        mine = (
            table.c.document_id == one.document_id,
            table.c.destination == one.destination,
            table.c.generation == one.generation,
        )
        values = {"sent_at": one.at, "transaction_set": one.transaction_set}
        connection.execute(sa.update(table).where(*mine).values(**values))
        if one.within is not None:
            awaiting = {"ack": Ack.AWAITING, "ack_due_at": one.at + one.within}
            open_ = table.c.ack.in_(UNANSWERED)
            connection.execute(sa.update(table).where(*mine, open_).values(**awaiting))


NUMBERS: Question[NumberWanted, EffectKey, int] = Question(take, lambda one: (one.document_id, one.destination))
RECORD_SENT: Change[Sent] = Change(record_sent)
