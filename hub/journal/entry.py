"""One caller's share of a group commit: rows to write, questions to answer in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.core.effect import FINISHED, Act, EffectStatus
from hub.core.once_key import OnceStatus
from hub.core.stage import Stage
from hub.journal.acknowledgments import Acknowledgment, Settled
from hub.journal.batch_members import BatchSays, BatchSent
from hub.journal.bulk import (
    BATCH_MEMBER,
    CLAIM,
    DEAD,
    EVENT,
    HOLD,
    KEY,
    MESSAGE,
    ONCE,
    PREPARE,
    QUEUE,
    SETTLE,
    Bulk,
    Row,
)
from hub.journal.control_numbers import NumberWanted, Sent
from hub.journal.interchanges_received import EarlierOne, InterchangeSeen
from hub.journal.wait import WAIT, Wait

LONGEST_KEY = 512
"""Characters of a business key that are kept: an index has its limits, and no honest number is longer."""


@dataclass(frozen=True, slots=True)
class EffectState:
    """What the journal knows of one document at one destination. `mine`: this process may send it now."""

    document_id: str
    destination: str
    route: str
    status: EffectStatus
    generation: int
    key: str
    claim: str | None
    content_type: str | None
    attempts: int
    mine: bool
    text: str | None = None
    facts: str | None = None
    expect_ack: float | None = None
    reply: str | None = None
    reply_type: str | None = None
    address: str | None = None
    mark: str | None = None

    @property
    def finished(self) -> bool:
        """Nothing is to be sent: it was delivered, a step has ended it, it goes with a batch, or a person has decided, or will."""
        return self.status in FINISHED

    @property
    def needs_bytes(self) -> bool:
        """What every attempt sends is still to be made, by this process."""
        return self.mine and not self.finished and self.claim is None


@dataclass(frozen=True, slots=True)
class OnceState:
    """Who holds a once-key, and how far they are: pending or done."""

    owner: str
    status: OnceStatus


@dataclass(slots=True)
class Entry:
    """Rows that are committed together. Every method only remembers; nothing is written before the commit."""

    rows: dict[Bulk, list[Row]] = field(default_factory=dict)
    effects_asked: list[tuple[str, str]] = field(default_factory=list)
    once_asked: list[tuple[str, str]] = field(default_factory=list)
    once_finished: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    once_owners: list[str] = field(default_factory=list)
    """Documents that a person has sent again: all of their once-keys are looked at."""
    dead_settled: list[tuple[str, str]] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    """Documents: what died of the same bytes before they could be read, or routed, is no work any more."""
    once_freed: list[tuple[str, str]] = field(default_factory=list)
    effects: dict[tuple[str, str], EffectState] = field(default_factory=dict)
    once: dict[tuple[str, str], OnceState] = field(default_factory=dict)
    numbers_asked: list[NumberWanted] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    acknowledgments: list[Acknowledgment] = field(default_factory=list)
    settled: dict[str, Settled] = field(default_factory=dict)
    interchanges: list[InterchangeSeen] = field(default_factory=list)
    duplicates: dict[tuple[str, str, str], EarlierOne] = field(default_factory=dict)
    batches_sent: list[BatchSent] = field(default_factory=list)
    batches_said: list[BatchSays] = field(default_factory=list)

    def _add(self, bulk: Bulk, row: Row) -> None:
        rows = self.rows.get(bulk)
        if rows is None:
            self.rows[bulk] = [row]
        else:
            rows.append(row)

    def claim(self, digest: str, size: int, body: bytes | None, at: float) -> None:
        self._add(CLAIM, (digest, size, body, at))

    def message(
        self,
        id: str,
        source: str,
        name: str,
        claim: str,
        position: str,
        at: float,
        *,
        document: str | None = None,
        canonical: str | None = None,
        partner: str | None = None,
        number: str | None = None,
        direction: str | None = None,
    ) -> None:
        self._add(MESSAGE, (id, source, name, claim, position, document, canonical, partner, number, at, direction))

    def key(self, value: str, kind: str, message_id: str) -> None:
        self._add(KEY, (value[:LONGEST_KEY], kind, message_id))

    def event(
        self,
        message_id: str,
        at: float,
        stage: Stage,
        *,
        route: str | None = None,
        destination: str | None = None,
        attempt: int | None = None,
        text: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        packed = orjson.dumps(detail, default=str).decode() if detail else None
        self._add(EVENT, (message_id, at, stage.value, route, destination, attempt, text, packed))

    def take_once(self, route: str, value: str, owner: str, at: float) -> None:
        """Takes the key unless another message holds it; `once` answers who does."""
        self._add(ONCE, (route, value, owner, OnceStatus.PENDING.value, at))
        self.once_asked.append((route, value))

    def prepare(
        self,
        document_id: str,
        destination: str,
        route: str,
        key: str,
        at: float,
        process: str,
        *,
        claim: str | None = None,
        content_type: str | None = None,
        facts: str | None = None,
        expect_ack: float | None = None,
        address: str | None = None,
    ) -> None:
        """Records what is going to be sent, before the first attempt, and claims the sending for `process`; what was
        recorded earlier stays. `effects` answers with what is in force."""
        row = (
            *(document_id, destination, route, EffectStatus.PREPARED.value, 1, key, claim, content_type),
            *(0, at, at, process),
            *(facts, expect_ack, address),
        )
        self._add(PREPARE, row)
        self.effects_asked.append((document_id, destination))

    def number(self, wanted: NumberWanted) -> None:
        """Takes a control number; `numbers` answers with it, and has none where none was needed or the sequence is used up."""
        self.numbers_asked.append(wanted)

    def settle(
        self,
        state: EffectState,
        status: EffectStatus,
        attempts: int,
        at: float,
        *,
        text: str | None = None,
        reply: str | None = None,
        reply_type: str | None = None,
    ) -> None:
        """The outcome of an attempt (`Act.ATTEMPT`), or, with the status that it has, news of one that goes on. What was delivered,
        held, rejected or discarded meanwhile stays so."""
        if status not in Act.ATTEMPT.after and status is not state.status:
            raise ValueError(f"no attempt makes an effect {status}")
        row = (
            *(state.document_id, state.destination, state.route, status.value, state.generation, state.key),
            *(attempts, text, reply, reply_type, at, at),
        )
        self._add(SETTLE, row)

    def hold(self, row: Row) -> None:
        self._add(HOLD, row)

    def wait(self, wait: Wait) -> None:
        """The copy waits as a row; when it waits already, for what `wait` says from now on."""
        self._add(WAIT, wait.row())

    def batch_member(self, row: Row) -> None:
        self._add(BATCH_MEMBER, row)

    def dead(self, row: Row) -> None:
        self._add(DEAD, row)

    def queue(self, name: str, route: str | None, at: float) -> None:
        self._add(QUEUE, (name, route, at))
