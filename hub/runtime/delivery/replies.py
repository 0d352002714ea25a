"""What a far end replied: its identifiers become business keys, and where the destination says how to `read` it, the
reply is a document of its own (Request-Reply, Correlation Identifier)."""

from __future__ import annotations

from dataclasses import replace

from hub.core.errors import TransientError
from hub.core.message import Header
from hub.core.ports import Arrival, BytesBody, Receipt, Take
from hub.core.replies.captures import captured, paths_in
from hub.core.replies.reply_body import ReplyBody
from hub.core.stage import Stage
from hub.journal.commit.entry import Entry
from hub.runtime.contained.looking import ContainedLooking
from hub.runtime.delivery.delivery import Delivery
from hub.runtime.runtime import OpenDestination, Runtime

PASSED_ON = ("partner", "test")
"""Facts of the document that was sent which also hold for the reply, unless its reader knows better."""


class Replies:
    """A reply is kept, in a commit of its own, before it is read: a crash after that goes on with the kept one, and the
    far end is not asked again. Reading the same bytes gives the same messages, so that it is neither lost nor
    doubled."""

    def __init__(self, runtime: Runtime, take: Take) -> None:
        self._runtime = runtime
        self._take = take
        self._looking = ContainedLooking(runtime.pool)

    async def keep(self, delivery: Delivery, receipt: Receipt, entry: Entry, now: float) -> tuple[str | None, Receipt]:
        """Adds the reply's claim and the captured keys to the entry. Gives the claim's digest, and the receipt with all
        keys."""
        reply = None
        if receipt.reply:
            kept = await self._runtime.journal.keep(receipt.reply)
            entry.claim(kept, now)
            reply = kept.digest
        if delivery.opened.captures:
            receipt = await self._capture(delivery, receipt, entry, now)
        for kind, value in receipt.keys:
            entry.key(value, kind, delivery.copy.document_id)
        return reply, receipt

    async def read(self, delivery: Delivery, receipt: Receipt, reply: str | None, now: float, entry: Entry) -> None:
        """Takes the reply as a document, if the destination says so. Its copies are confirmed when this returns; the
        entry says it when it can't be read. Raises TransientError or JournalUnavailable when it could not be taken."""
        source = delivery.opened.replies_to
        if source is None:
            return
        if not receipt.reply:
            await self._say_empty(delivery, now)
            return
        if delivery.state.reply is None:
            await self._keep_first(delivery, receipt, reply, now)
        taken = await self._take(arrival(delivery, source, receipt))
        if taken.refused:
            self._warn(entry, delivery, f"the reply can't be read: {taken.cause}"[:2000], now)

    async def _capture(self, delivery: Delivery, receipt: Receipt, entry: Entry, now: float) -> Receipt:
        destination = delivery.opened
        body = await self._looked_into(destination, receipt.reply)
        found, missing = captured(destination.captures, receipt, body)
        if missing and delivery.state.reply is None:
            where = ", ".join(f"{name} at {destination.captures[name]}" for name in missing)
            why = f": {body.wrong}" if body.wrong else ""
            self._warn(entry, delivery, f"the reply doesn't say {where}{why}", now)
        return replace(receipt, keys=(*receipt.keys, *found))

    async def _looked_into(self, destination: OpenDestination, reply: bytes) -> ReplyBody:
        """The document is delivered already: what keeps the hub from looking keeps nobody from recording that."""
        try:
            return await self._looking.look(destination.name, reply, paths_in(destination.captures))
        except TransientError as error:
            return ReplyBody(wrong=str(error))

    async def _keep_first(self, delivery: Delivery, receipt: Receipt, reply: str | None, now: float) -> None:
        """From here on the far end has answered, whatever becomes of this process."""
        entry, state = Entry(), delivery.state
        kept = await self._runtime.journal.keep(receipt.reply)
        entry.claim(kept, now)
        for kind, value in receipt.keys:
            entry.key(value, kind, delivery.copy.document_id)
        entry.settle(
            state,
            state.status,
            state.attempts,
            now,
            text=receipt.text,
            reply=reply,
            reply_type=receipt.content_type,
        )
        await self._runtime.journal.commit(entry)

    async def _say_empty(self, delivery: Delivery, now: float) -> None:
        entry = Entry()
        self._warn(entry, delivery, "the reply is empty: there is no document in it", now)
        await self._runtime.journal.commit(entry)

    @staticmethod
    def _warn(entry: Entry, delivery: Delivery, text: str, now: float) -> None:
        """The trace of the document that was sent says it."""
        copy = delivery.copy
        delivery.tell(entry, now, Stage.WARNING, attempt=copy.attempt, text=text)


def arrival(delivery: Delivery, source: str, receipt: Receipt) -> Arrival:
    """The reply as an arrival. Equal replies to different documents are different messages; the document that was sent,
    and what the far end calls it, find the reply."""
    copy = delivery.copy
    facts = copy.facts()
    headers = {
        Header.HOPS: copy.hops,
        **({Header.ANSWERS: str(facts["number"])} if facts.get("number") else {}),
        **({"content_type": receipt.content_type} if receipt.content_type else {}),
        **({"correlation_id": copy.message.correlation_id} if copy.message.correlation_id else {}),
    }
    return Arrival(
        source,
        BytesBody(receipt.reply),
        headers=headers,
        facts={name: facts[name] for name in PASSED_ON if facts.get(name) is not None},
        salt=delivery.state.key,
        keys=(("in_reply_to", copy.document_id), *receipt.keys),
    )
