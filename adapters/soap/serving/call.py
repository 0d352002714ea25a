"""One call that was let in: its arrival, and its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from adapters.soap.serving.contract import ServedOperation
from adapters.soap.serving.fault import SoapFault, fault_response
from adapters.soap.serving.names import Version
from adapters.soap.serving.options import SoapSourceOptions
from adapters.soap.serving.replies import SoapReplies
from adapters.soap.serving.username_token import UsernameToken
from hub.core.clock import Clock
from hub.core.errors import JournalUnavailable, TransientError
from hub.core.identity import digest, message_id
from hub.core.log import Log
from hub.core.network.web import Repetitions, WebResponse
from hub.core.options.duration import seconds
from hub.core.outcome import ARRIVAL, Ending, Outcomes, State
from hub.core.ports import Arrival, BytesBody, Take, Taken

XML = "application/xml"
TOLD: dict[str, str] = {
    State.HELD: "it waits for a person to decide",
    "refused": "it was refused where it went; whoever runs the hub finds the reason by its id",
    State.UNREADABLE: "it was refused; whoever runs the hub finds the reason by its id",
    State.DUPLICATE: "it was taken before",
    State.FILTERED: "it was taken, and goes no further; there is no answer to it",
    "elsewhere": "it was taken, and goes where no answer comes from",
    State.UNMATCHED: "it was taken, and waits for a person: it has no way yet, and no answer",
}
"""What a partner is told. What our systems say when they refuse is for systems of our own."""

OURS = ("refused", State.DUPLICATE)
"""Where systems of our own are told more."""

KINDS: dict[State, str] = {
    State.HELD: State.HELD,
    State.DEAD: "refused",
    State.DISCARDED: "refused",
    State.DUPLICATE: State.DUPLICATE,
}
"""What is a fault, by how it has ended."""

ENDED = {State.FILTERED: State.FILTERED, State.UNMATCHED: State.UNMATCHED}
"""What is a fault where the contract has no words for `it was taken`."""


@dataclass(frozen=True, slots=True)
class CallTerms:
    """What all calls of a source share. `once_only` is shared with all other sources."""

    source: str
    options: SoapSourceOptions
    replies: SoapReplies
    once_only: Repetitions
    outcomes: Outcomes
    log: Log
    clock: Clock


@dataclass(frozen=True, slots=True)
class SoapCall:
    """`payload` is canonical XML."""

    terms: CallTerms
    version: Version
    operation: ServedOperation
    payload: bytes
    token: UsernameToken

    async def answer(self, take: Take) -> WebResponse:
        """Raises SoapFault. A token whose call came to nothing may come again."""
        key, made = self.token.once, False
        try:
            if key and await self.terms.once_only.begin(key, "", self.token.keep) is not None:
                text = "the security token could not be authenticated or authorized"
                cause = ValueError(f"a nonce of {self.token.name} that was used before")
                raise SoapFault("sender", text, security="FailedAuthentication") from cause
            made = True
            answer = await self._take_call(take)
        except SoapFault as fault:
            if made:
                await asyncio.shield(self._settle(free=fault.said.whose == "receiver"))
            raise
        except (JournalUnavailable, TransientError, TimeoutError) as error:
            if made:
                await asyncio.shield(self._settle(free=True))
            raise SoapFault("receiver", "nothing was taken; send it again") from error
        except BaseException:
            if made:
                await asyncio.shield(self._settle(free=True))
            raise
        await asyncio.shield(self._settle(free=False))
        return answer

    async def _settle(self, free: bool) -> None:
        if not self.token.once:
            return
        try:
            if free:
                await self.terms.once_only.free(self.token.once)
            else:
                await self.terms.once_only.finish(self.token.once, WebResponse(204))
        except JournalUnavailable as error:
            self.terms.log.warning("nonce_not_kept", source=self.terms.source, error=str(error))

    async def _take_call(self, take: Take) -> WebResponse:
        arrival = Arrival(
            self.terms.source,
            BytesBody(self.payload),
            headers={"content_type": XML},
            facts={"operation": self.operation.name},
            salt=self.token.name,
            partner=self.token.partner,
        )
        id = message_id(digest(self.payload), (), arrival.identity)
        arrival = replace(arrival, keys=((ARRIVAL, id),))
        async with self.terms.clock.timeout(seconds(self.terms.options.patience)):
            taken = await take(arrival)
        if taken.failed:
            cause = (taken.told or TOLD[State.UNREADABLE]) if self.token.partner else taken.cause
            raise SoapFault("sender", cause, problem={"type": "urn:hub:unreadable", "id": id}) from ValueError(
                taken.cause
            )
        return await self._reply(id, taken)

    async def _reply(self, id: str, taken: Taken) -> WebResponse:
        options, replies = self.terms.options, self.terms.replies
        if options.reply == "one-way":
            return WebResponse(202, b"", "")
        if options.reply == "sync" and (taken.documents, taken.refused) == (1, 0):
            ending = await self._ending(id)
            answer = self._of(ending, id) if ending is not None else None
            if answer is not None:
                return answer
        accepted = replies.accepted(self.version, id, taken.documents)
        if accepted is not None:
            return accepted
        # It was taken: the nonce is used, and the same payload, sent again, is the same message.
        text = "it was taken, and has no answer yet; send the same again to get it"
        fault = SoapFault("receiver", text, problem={"type": "urn:hub:in-work", "id": id})
        return fault_response(self.version, fault)

    async def _ending(self, id: str) -> Ending | None:
        try:
            return await self.terms.outcomes.ending(self.terms.source, id, seconds(self.terms.options.within))
        except JournalUnavailable:
            return None

    def _of(self, ending: Ending, id: str) -> WebResponse | None:
        """Raises SoapFault for what is no answer and never will be."""
        kind = KINDS.get(ending.state)
        if kind is None and self.terms.options.acceptance is None:
            kind = "elsewhere" if ending.silent else ENDED.get(ending.state)
        if kind is not None:
            text = ending.text if kind in OURS and not self.token.partner else TOLD[kind]
            raise SoapFault("sender", text, problem={"type": f"urn:hub:{kind}", "id": id})
        if ending.state is not State.DELIVERED:
            return None
        reply = b"".join(ending.reply.chunks()) if ending.reply is not None else b""
        answer = self.terms.replies.of_destination(self.version, self.operation, reply)
        if answer is None and self.terms.options.acceptance is None:
            text = "it was delivered, and the answer is not what the contract says"
            return fault_response(
                self.version, SoapFault("receiver", text, problem={"type": "urn:hub:answer", "id": id})
            )
        return answer
