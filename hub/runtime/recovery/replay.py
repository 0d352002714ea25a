"""Replay, discard, release, reject: what people decide, carried out by the hub that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hub.core import topology
from hub.core.dead_letter import DeadStatus
from hub.core.errors import UNCONFIRMED, HubError
from hub.core.hold import HoldStatus
from hub.core.message import Header, Message
from hub.core.options.chosen import choose
from hub.core.ports import Arrival
from hub.core.stage import DEAD_LETTER, Stage
from hub.documents import BATCH
from hub.journal.batches.batch_dissolving import Dissolution
from hub.journal.batches.batch_members import TELL, BatchSays
from hub.journal.batches.batches import Batches
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.journal.deliveries.decisions import Decisions
from hub.journal.deliveries.effects import Forbidden
from hub.journal.rows import DeadLetterFound, HoldRow
from hub.runtime.boundary import Boundary
from hub.runtime.copy import split, unpack, unpack_facts
from hub.runtime.delivery.once_value import once_value
from hub.runtime.intake.arrival_again import arrival_again
from hub.runtime.intake.arrival_terms import with_terms
from hub.runtime.intake.intake import Intake
from hub.runtime.intake.remainder import REST, covered
from hub.runtime.runtime import Runtime


class DecisionRefused(HubError):
    """Why one of several can't be decided so."""


class Replay:
    """Every step is recorded before it is done and may be repeated: what a crash leaves as `replaying` or `releasing`
    is taken up again by `resume`, and effects that are recorded are not repeated."""

    def __init__(self, runtime: Runtime, intake: Intake) -> None:
        self._runtime = runtime
        self._intake = intake
        self._decisions = Decisions(runtime.journal)

    async def resume(self, older: float = 0.0) -> None:
        """Finishes what a crash interrupted, one by one; what can't be finished is back in its list, with the reason.
        `older` (seconds) leaves alone what somebody may be at right now."""
        now = self._runtime.clock()
        for letter in await self._decisions.dead_letters(DeadFilter(status=(DeadStatus.REPLAYING,)), now):
            if now - (letter.decided_at or 0.0) >= older:
                still = [name for name in letter.destinations.split(",") if name]
                await self._publish_again(letter, still, "after a stop")
        for hold in await self._decisions.holds((HoldStatus.RELEASING,)):
            if now - (hold.decided_at or 0.0) >= older:
                await self._publish_released(hold)

    async def replay(self, wanted: DeadFilter, who: str, render: bool = False, to: str | None = None) -> dict[str, Any]:
        """Replays all that the filter finds: `{"replayed": n, "skipped": {reason: n}, "ids": [...]}`. `to`: a
        destination that takes the place of those on which they died. Raises HubError when it is not there."""
        if to is not None and to not in self._runtime.snapshot.destinations:
            known = ", ".join(sorted(self._runtime.snapshot.destinations))
            raise HubError(f"there is no destination {to!r}; the site has {known}")
        done: list[str] = []
        skipped: Counter[str] = Counter()
        rows, refused = await self._decisions.chosen_dead(wanted, self._runtime.clock())
        skipped.update(refused)
        for row in rows:
            reason = await self._replay_one(row, who, render, to)
            if reason is None:
                done.append(row.id)
            else:
                skipped[reason] += 1
        return decision_result(DeadStatus.REPLAYED, done, skipped)

    async def _replay_one(self, row: DeadLetterFound, who: str, render: bool, to: str | None) -> str | None:
        """None when it was replayed, else why not."""
        runtime = self._runtime
        if to is not None and row.kind != "route":
            return "it died before it had a destination"
        if row.kind == "route" and row.route not in runtime.snapshot.table.by_id:
            return f"the route {row.route} is not there any more"
        if row.kind == "source" and row.source not in runtime.snapshot.readers:
            return f"the source {row.source} is not there any more"
        if (holder := await self._once_holder(row)) is not None:
            return f"its once-key is held by message {holder}"
        if to is None:
            still = await self._decisions.begin_replay(row, who, runtime.clock(), render)
        else:
            still = await self._decisions.begin_replay_to(row, to, who, runtime.clock())
        if still is None:
            return "somebody else replayed or discarded it meanwhile"
        if row.kind == "route" and not still:
            await self._decisions.end_replay(row.id, "delivered already, or decided otherwise", runtime.clock())
            return "delivered already, or decided otherwise"
        failure = await self._publish_again(row, still, f"by {who}")
        if failure is not None:
            return failure
        entry, now = Entry(), runtime.clock()
        entry.event(
            row.message_id,
            now,
            Stage.REPLAYED,
            route=row.route,
            destination=",".join(still) or None,
            text=f"by {who}",
            detail={DEAD_LETTER: row.id},
        )
        said = BatchSays(
            batch=row.message_id,
            at=now,
            stage=Stage.REPLAYED,
            route=row.route,
            destination=",".join(still) or None,
            text=f"by {who}",
        )
        entry.add(TELL, said)
        await runtime.journal.commit(entry)
        return None

    async def _publish_again(self, row: DeadLetterFound, still: list[str], text: str) -> str | None:
        """None when the copy is confirmed; else why not: the dead letter is in the list again."""
        with Boundary() as boundary:
            await self._replay_letter(row, still)
        if (error := boundary.error) is not None:
            reason = f"could not be sent again: {str(error) or type(error).__name__}"
            self._runtime.log.warning("replay_failed", dead=row.id, message_id=row.message_id, error=reason)
            await self._decisions.undo_replay(row.id, reason)
            return reason
        await self._decisions.end_replay(row.id, text, self._runtime.clock())
        return None

    async def _replay_letter(self, row: DeadLetterFound, still: list[str]) -> None:
        body = await self._runtime.journal.claim_body(row.body)
        if row.route is not None:
            message = unpack(row.headers, b"" if body.size > 1 << 20 else b"".join(body.chunks()))
            await self._publish(message, row.route, still, row.id)
        elif row.kind == "source":
            headers = unpack(row.headers, b"").headers
            recorded = await arrival_again(self._runtime.journal, row.message_id)
            seen = recorded.headers if recorded is not None else {"content_type": row.content_type}
            arrival = Arrival(row.source or "", body, headers.get(Header.NAME, ""), seen)
            arrival = with_terms(arrival, await self._terms(headers))
            position = headers.get(Header.POSITION, "")
            only = None if position.startswith(REST) else position or None
            await self._intake.take(arrival, only=only, among=await self._covered(headers), parent=row.id)
        else:
            await self._intake.again(unpack(row.headers, b"".join(body.chunks())), row.id)

    async def _covered(self, headers: Mapping[str, Any]) -> frozenset[str]:
        """The positions that a letter stands for which stands for many. Raises ClaimMissing and JournalUnavailable."""
        claim = headers.get(Header.COVERS)
        if not isinstance(claim, str):
            return frozenset()
        return covered(b"".join((await self._runtime.journal.claim_body(claim)).chunks()))

    async def _terms(self, headers: Mapping[str, Any]) -> Any:
        """What its source knew of an arrival beside the bytes, packed. Raises ClaimMissing and JournalUnavailable."""
        claim = headers.get(Header.TERMS_CLAIM)
        if not isinstance(claim, str):
            return headers.get(Header.TERMS)
        return b"".join((await self._runtime.journal.claim_body(claim)).chunks()).decode()

    async def _publish(self, message: Message, route: str, still: list[str], parent: str | None) -> None:
        """Raises HubError where nobody would take it: a queue whose route is gone may still be there."""
        if route not in self._runtime.snapshot.table.by_id:
            raise HubError(f"the route {route} is not there any more")
        fresh = message.without_broker_headers().with_headers(
            hub_open=",".join(still),
            hub_attempt=1,
            hub_error=None,
            hub_error_text=None,
            hub_first_failure=None,
            hub_parent=parent,
            hub_send=",".join(self._send(message, still)),
            **{name.replace("-", "_"): None for name in (Header.WAITS, Header.AGAIN)},
        )
        await self._runtime.broker.publish("", topology.route_queue(route), fresh)

    def _send(self, message: Message, still: list[str]) -> list[str]:
        """The destinations of the copy's document: with one that takes the place of others, without those that are
        gone."""
        known = list(split(message.headers.get(Header.SEND)))
        new = [name for name in still if name not in known]
        return [name for name in known if name in self._runtime.snapshot.destinations] + new if new else known

    async def _once_holder(self, row: DeadLetterFound) -> str | None:
        """Another message that has taken the place of this one, under the route's once-key."""
        route = self._runtime.snapshot.table.by_id.get(row.route) if row.route is not None else None
        headers = unpack(row.headers, b"").headers
        if route is None or not route.once or headers.get(Header.DOCUMENT) == BATCH:
            return None
        with Boundary() as boundary:
            value = once_value(route, unpack_facts(headers))
        if boundary.error is not None:
            return None
        return await self._decisions.once_holder(route.id, value, row.message_id)

    async def discard(self, wanted: DeadFilter, who: str, reason: str) -> dict[str, Any]:
        """`{"discarded": n, "skipped": {reason: n}, "ids": [...]}`."""
        done: list[str] = []
        skipped: Counter[str] = Counter()
        rows, refused = await self._decisions.chosen_dead(wanted, self._runtime.clock())
        skipped.update(refused)
        for row in rows:
            if await self._decisions.discard(row, who, reason, self._runtime.clock()):
                done.append(row.id)
            else:
                skipped["somebody else replayed or discarded it meanwhile"] += 1
        return decision_result(DeadStatus.DISCARDED, done, skipped)

    async def release(self, ids: list[str], who: str, reason: str) -> dict[str, Any]:
        """Sends held documents again, each under a new key."""
        return await self._decide(ids, HoldStatus.RELEASED, lambda row: self._release_one(row, who, reason))

    async def confirm(self, ids: list[str], who: str, reason: str) -> dict[str, Any]:
        """Ends held documents as delivered, which they may have been."""
        return await self._decide(ids, HoldStatus.DELIVERED, lambda row: self._confirm_one(row, who, reason))

    async def reject(self, ids: list[str], who: str, reason: str) -> dict[str, Any]:
        """Ends held documents: they are not sent."""
        decisions, now = self._decisions, self._runtime.clock()
        return await self._decide(ids, HoldStatus.REJECTED, lambda row: decisions.reject(row, who, reason, now))

    async def dissolve(self, ids: list[str], who: str, reason: str) -> dict[str, Any]:
        """Takes batches apart that have not left:
        `{"dissolved": n, "released": documents, "skipped": {reason: n}, "ids": [...]}`."""
        batches, done, released = Batches(self._runtime.journal), list[str](), 0
        chosen = choose(ids, await batches.stuck(), "unsent batch", "unsent batches")
        skipped = Counter(chosen.refused)
        for row in chosen.rows:
            wanted = Dissolution(row.id, who, reason, self._runtime.clock(), self._runtime.snapshot.owner_of)
            holds = await batches.dissolve(wanted)
            if holds is None:
                skipped[f"{row.id[:12]}: it is being sent already"] += 1
                continue
            done.append(row.id)
            released += await self.go_on(holds)
        return {**decision_result("dissolved", done, skipped), HoldStatus.RELEASED.value: released}

    async def go_on(self, holds: list[str]) -> int:
        """Publishes what these holds, which are being released, have kept; how many went."""
        rows = await self._decisions.holds((HoldStatus.RELEASING,), holds) if holds else ()
        return sum([await self._publish_released(row) for row in rows])

    async def _decide(
        self, ids: list[str], word: HoldStatus, step: Callable[[HoldRow], Awaitable[bool]]
    ) -> dict[str, Any]:
        done: list[str] = []
        chosen = choose(ids, await self._decisions.holds((), ids), "hold")
        skipped = Counter(chosen.refused)
        for row in chosen.rows:
            try:
                decided = await step(row)
            except (DecisionRefused, Forbidden) as refused:  # this one; the others go on
                skipped[f"{row.id[:12]}: {refused}"] += 1
                continue
            if decided:
                done.append(row.id)
            else:
                now = await self._decisions.holds((), (row.id,))
                state = (
                    "could not be sent, see the log" if now[0].status == HoldStatus.OPEN else f"{now[0].status} already"
                )
                skipped[f"{row.id[:12]}: {state}"] += 1
        return decision_result(word, done, skipped)

    async def _confirm_one(self, row: HoldRow, who: str, reason: str) -> bool:
        if row.name != UNCONFIRMED:
            text = f"it is {row.name}: only what may have been delivered ({UNCONFIRMED}) can be ended as delivered"
            raise DecisionRefused(text)
        done = await self._decisions.confirm(row, who, reason, self._runtime.clock())
        self._runtime.settled(row.document_id)
        return done

    async def _release_one(self, row: HoldRow, who: str, reason: str) -> bool:
        if row.route not in self._runtime.snapshot.table.by_id:
            raise DecisionRefused(f"the route {row.route} is not there any more")
        if not await self._decisions.begin_release(row, who, reason, self._runtime.clock()):
            return False
        return await self._publish_released(row)

    async def _publish_released(self, row: HoldRow) -> bool:
        """Whether the copy is confirmed; if not, the hold is open again."""
        with Boundary() as boundary:
            await self._release_copy(row)
        if (error := boundary.error) is not None:
            reason = f"could not be sent: {str(error) or type(error).__name__}"
            self._runtime.log.warning("release_failed", hold=row.id, message_id=row.document_id, error=reason)
            await self._decisions.undo_release(row.id, reason)
            return False
        await self._decisions.end_release(row.id)
        return True

    async def _release_copy(self, row: HoldRow) -> None:
        body = await self._runtime.journal.claim_body(row.body)
        message = unpack(row.headers, b"" if body.size > 1 << 20 else b"".join(body.chunks()))
        await self._publish(message, row.route, [row.destination], message.headers.get(Header.PARENT) or row.id)


def decision_result(word: str, done: list[str], skipped: Mapping[str, int]) -> dict[str, Any]:
    """The result of a command: how many were decided so, the first of them, and why others were not."""
    return {str(word): len(done), "skipped": dict(skipped), "ids": done[:1000]}
