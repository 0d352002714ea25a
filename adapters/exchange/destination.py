"""An exchange as a destination: publish and confirm; or ask, and wait for the answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field, model_validator

from adapters.exchange.address import ExchangeAddress
from adapters.exchange.answers import Answers, status_of, texts_of
from adapters.exchange.endpoint import AmqpEndpoint, BrokerOf
from hub.core.broker import Broker
from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.errors import ConfigError, MappingError, MessageError, RejectedError, TransientError, Unroutable
from hub.core.message import Message
from hub.core.options.duration import Duration, seconds
from hub.core.options.naming import names_in
from hub.core.options.secret_names import without_credentials
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.core.replies.replies import ReplyRule, classify, paths_of
from hub.core.replies.reply import Reply, explained_by
from hub.core.topology import Binding, Exchange, ExchangeType, Queue, Topology, reply_queue
from hub.documents.naming import header_of, name_of

Argument = str | int | bool


class Properties(Options):
    """AMQP properties of what is published."""

    priority: int | None = Field(
        None, ge=0, le=255, description="0 to 255; queues that know priorities serve higher ones first."
    )
    expiration: Duration | None = Field(None, description="After so long in a queue the message is worth nothing.")
    type: str | None = Field(None, max_length=255, description="What the message is; without it the document: order@1.")
    reply_to: str | None = Field(
        None, max_length=255, description="The queue that answers are to go to, where another system takes them."
    )
    user_id: str | None = Field(None, max_length=255, description="The user that the broker is to check.")

    def further(self) -> dict[str, Any]:
        found = {
            "priority": self.priority,
            "expiration": seconds(self.expiration) if self.expiration is not None else None,
            "user_id": self.user_id,
        }
        return {name: value for name, value in found.items() if value is not None}


class AnswerOptions(Options):
    """That an answer is waited for."""

    within: Duration = Field(
        "30s", description="How long; after it the same question is asked again, under the same message id."
    )
    status: str = Field(
        "status",
        description="The header of the answer that holds a status like HTTP's; without such a header it is 200.",
    )


class ExchangeDestinationOptions(Options):
    """An exchange to publish to."""

    endpoint: str | None = Field(None, description="The name of an `amqp` endpoint; without it the hub's own broker.")
    name: str = Field(description="The exchange. Empty: the default exchange, where `key` names a queue.")
    key: str = Field(
        "{document}",
        description=(
            "The routing key; `{fact}` is substituted. A value that can't stand in a key is changed, and a digest"
            " appended."
        ),
    )
    type: ExchangeType = Field("topic", description="Its type, where the hub declares it.")
    arguments: dict[str, Argument] = Field(
        default_factory=dict, description="Its arguments, where the hub declares it: alternate-exchange."
    )
    passive: bool = Field(False, description="The exchange belongs to somebody else and must exist already.")
    mandatory: bool = Field(True, description="A message that reaches no queue is a failure that is retried.")
    queue: str | None = Field(
        None, description="A durable queue to declare and bind with `#`, so that what is sent has a place at once."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send; `{fact}` is substituted.")
    properties: Properties = Field(Properties(), description="AMQP properties to send.")
    answer: AnswerOptions | None = Field(
        None, description="Wait for an answer (reply-to and correlation id), and read it by `replies`."
    )
    timeout: Duration = Field("30s", description="How long to wait for the broker's confirm.")

    @model_validator(mode="after")
    def fits(self) -> ExchangeDestinationOptions:
        if self.passive and self.arguments:
            raise ValueError("`arguments` are given where the hub declares the exchange; a passive one has its own")
        if self.answer is not None and self.properties.reply_to is not None:
            raise ValueError("with `answer` the hub itself waits: `reply_to` is its own queue")
        if any(name.lower().startswith(("hub-", "x-death")) for name in self.headers):
            raise ValueError("headers that begin with hub- or x-death are not for sites")
        return self


class ExchangeDestination:
    """Publishes with confirm, and by default mandatory. The message id is the idempotency key, so that subscribers can
    recognise a repetition. With `answer` the correlation id is the key too, and the document counts as delivered when
    the answer says so."""

    def __init__(
        self, name: str, options: ExchangeDestinationOptions, context: Context, endpoint: AmqpEndpoint | None = None
    ) -> None:
        self._name = name
        self._options = options
        self._broker = BrokerOf(context.broker, endpoint)
        self._replies: tuple[ReplyRule, ...] = context.replies
        self._look, self._clock = context.look, context.clock
        self._timeout = seconds(options.timeout)
        self._fixed = options.key if not names_in(options.key) else None
        self._further = options.properties.further()
        self._headers, self._credentials = without_credentials(options.headers)
        self._answers: Answers | None = None

    def topology(self) -> Topology:
        """What must exist at the hub's own broker."""
        return self._needed() if self._broker.is_own else Topology()

    def _needed(self) -> Topology:
        options = self._options
        arguments = tuple(sorted(options.arguments.items()))
        exchanges = (Exchange(options.name, options.type, options.passive, arguments),) if options.name else ()
        if options.queue is None:
            return Topology(exchanges=exchanges)
        bindings = (Binding(options.name, options.queue, "#"),) if options.name else ()
        return Topology(exchanges=exchanges, queues=(Queue(options.queue),), bindings=bindings)

    def address(self, outgoing: Outgoing) -> ExchangeAddress:
        options = self._options
        return ExchangeAddress(
            endpoint=options.endpoint,
            exchange=options.name,
            key=outgoing.fixed_address or self.fix_address(outgoing),
            mandatory=options.mandatory,
            headers={**headers_of(self._headers, outgoing), **outgoing.headers},
            message_id=outgoing.key,
            correlation_id=outgoing.correlation_id if options.answer is None else outgoing.key,
            type=options.properties.type or outgoing.document,
            content_type=outgoing.content_type,
            reply_to=options.properties.reply_to,
            properties=self._further,
            credentials=tuple(self._credentials),
        )

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The routing key. See `hub.core.ports.Addressing`."""
        if self._fixed is not None:
            return self._fixed
        try:
            return name_of(outgoing.facts, self._options.key, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_key") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        address, credentials, answer = self.address(outgoing), self._credentials, self._options.answer
        headers = {**address.headers, **headers_of(credentials, outgoing)} if credentials else address.headers
        try:
            broker = await self._broker.ready(self._needed)
            message = Message(
                id=address.message_id,
                body=outgoing.body,
                content_type=address.content_type,
                headers=headers,
                correlation_id=address.correlation_id,
                type=address.type,
                reply_to=address.reply_to,
                properties=address.properties,
            )
            if answer is not None:
                return await self._ask(broker, address, message, answer)
            await self._publish(broker, address, message)
        except Unroutable as error:
            raise TransientError(str(error), "unreachable") from error
        except ConfigError as error:
            raise TransientError(str(error), "failed") from error
        except MessageError as error:
            raise RejectedError(str(error), code="not_carried") from error
        return Receipt("confirmed")

    async def _publish(self, broker: Broker, address: ExchangeAddress, message: Message) -> None:
        await broker.publish(address.exchange, address.key, message, mandatory=address.mandatory, timeout=self._timeout)

    async def _ask(self, broker: Broker, address: ExchangeAddress, message: Message, answer: AnswerOptions) -> Receipt:
        if self._answers is None:
            self._answers = Answers(broker, reply_queue(self._name, uuid.uuid4().hex[:12]), self._clock)
        found = await self._answers.to(
            lambda asked: self._publish(broker, address, asked), message, seconds(answer.within)
        )
        status, about = status_of(found, answer.status), {"content-type": found.content_type}
        headers, now = {**texts_of(found), **about}, read_utc(self._clock)
        with explained_by(Reply(status, headers, found.body)):
            content = await self._look(self._name, found.body, paths_of(self._replies))
            receipt = classify(status, about, found.body, self._replies, now, content=content)
        return replace(receipt, headers=headers)

    async def close(self) -> None:
        if self._answers is not None:
            await self._answers.close()


def headers_of(templates: Mapping[str, str], outgoing: Outgoing) -> dict[str, str]:
    try:
        return {name: header_of(text, outgoing.facts) for name, text in templates.items()}
    except MappingError as error:
        raise RejectedError(str(error), code="no_key") from error
