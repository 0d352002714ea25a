"""One caller's share of a group commit: what is to be written, and what is asked, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import orjson

from hub.core.effect import Act, EffectStatus
from hub.core.once_key import OnceStatus
from hub.core.stage import Stage
from hub.journal.commit.bulk import CLAIM, EVENT, KEY, MESSAGE, ONCE, PREPARE, SETTLE
from hub.journal.commit.claims import StoredClaim
from hub.journal.commit.other_names import LONGEST_KEY, OTHER_NAMES, OtherName
from hub.journal.commit.writer import Answer, EntryWriter, Key, Question
from hub.journal.deliveries.effects import STATES, EffectAsked, EffectState
from hub.journal.deliveries.once_keys import HOLDERS, OnceAsked
from hub.journal.rows import (
    ClaimRow,
    EffectPrepared,
    EffectSettled,
    EventRow,
    KeyRow,
    MessageRow,
    OnceRow,
)

Item = TypeVar("Item")


class Entry:
    """Everything that is committed together. It only remembers: nothing is written, and nothing answered, before the
    commit."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[EntryWriter[Any], list[Any]] = {}

    def add(self, writer: EntryWriter[Item], item: Item) -> None:
        items = self._items.get(writer)
        if items is None:
            self._items[writer] = [item]
        else:
            items.append(item)

    def of(self, writer: EntryWriter[Item]) -> Sequence[Item]:
        """What the writer gets of this entry."""
        return self._items.get(writer, ())

    def leave_out(self, writer: EntryWriter[Any]) -> None:
        self._items.pop(writer, None)

    def __iter__(self) -> Iterator[tuple[EntryWriter[Any], list[Any]]]:
        return iter(self._items.items())

    def claim(self, claim: StoredClaim, at: float) -> None:
        self.add(CLAIM, ClaimRow(claim.digest, claim.size, claim.row, at))

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
        terms: str | None = None,
    ) -> None:
        row = MessageRow(
            id=id,
            source=source,
            name=name,
            claim=claim,
            position=position,
            document=document,
            canonical=canonical,
            partner=partner,
            number=number,
            received_at=at,
            direction=direction,
            terms=terms,
        )
        self.add(MESSAGE, row)
        if name:
            self.add(OTHER_NAMES, OtherName(id, name))

    def key(self, value: str, kind: str, message_id: str) -> None:
        self.add(KEY, KeyRow(value[:LONGEST_KEY], kind, message_id))

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
        row = EventRow(
            message_id=message_id,
            at=at,
            stage=stage.value,
            route=route,
            destination=destination,
            attempt=attempt,
            text=text,
            detail=packed,
        )
        self.add(EVENT, row)

    def take_once(self, route: str, value: str, owner: str, at: float) -> None:
        """Takes the key unless another message holds it; HOLDERS answers who does."""
        self.add(ONCE, OnceRow(route, value, owner, OnceStatus.PENDING.value, at))
        self.add(HOLDERS, OnceAsked(route, value))

    def prepare(self, effect: EffectPrepared) -> None:
        """Records what is going to be sent, before the first attempt, and claims the sending for a process; what was
        recorded earlier stays. STATES answers with what is in force."""
        self.add(PREPARE, effect)
        self.add(STATES, EffectAsked(effect.document_id, effect.destination, effect.claimed_by))

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
        """The outcome of an attempt (`Act.ATTEMPT`), or, with the status that it has, news of one that goes on. What
        was delivered, held, rejected or discarded meanwhile stays so."""
        if status not in Act.ATTEMPT.after and status is not state.status:
            raise ValueError(f"no attempt makes an effect {status}")
        row = EffectSettled(
            document_id=state.document_id,
            destination=state.destination,
            route=state.route,
            status=status.value,
            generation=state.generation,
            key=state.key,
            attempts=attempts,
            text=text,
            reply=reply,
            reply_type=reply_type,
            first_at=at,
            updated_at=at,
        )
        self.add(SETTLE, row)


def effect_prepared(
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
) -> EffectPrepared:
    """The first row of an effect: `process` is going to send."""
    return EffectPrepared(
        document_id=document_id,
        destination=destination,
        route=route,
        status=EffectStatus.PREPARED.value,
        generation=1,
        key=key,
        claim=claim,
        content_type=content_type,
        attempts=0,
        first_at=at,
        updated_at=at,
        claimed_by=process,
        facts=facts,
        expect_ack=expect_ack,
        address=address,
    )


class Committed:
    """What the commit of an entry has answered. It exists only after the commit."""

    __slots__ = ("_answers", "_entry")

    def __init__(self, entry: Entry, answers: Mapping[EntryWriter[Any], Mapping[Any, Any]]) -> None:
        self._entry = entry
        self._answers = answers

    def of(self, question: Question[Item, Key, Answer]) -> dict[Key, Answer]:
        """The answers to what this entry asked."""
        answers = cast("Mapping[Key, Answer]", self._answers.get(question, {}))
        keys = map(question.key, self._entry.of(question))
        return {key: answers[key] for key in keys if key in answers}
