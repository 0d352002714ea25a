"""Questions that an exchange destination asks, and a system of other make that answers them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kombu
import pytest

from adapters.exchange import (
    ExchangeDestination,
    ExchangeDestinationOptions,
)
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.replies.replies import ReplyRule
from tests.support.exchanges import outgoing

pytestmark = pytest.mark.rabbitmq


@contextmanager
def answering(url: str, queue: str, answer: Any) -> Iterator[list[str]]:
    """A system of another make that answers questions: kombu, in a thread."""
    asked: list[str] = []
    stopping = threading.Event()

    def serve() -> None:
        with kombu.Connection(url) as connection:
            channel = connection.channel()
            producer = kombu.Producer(channel)
            while not stopping.wait(0.02):
                message = channel.basic_get(queue)
                if message is None:
                    continue
                asked.append(message.properties["correlation_id"])
                made = answer(message.body)
                if made is not None:
                    body, headers = made
                    producer.publish(
                        body,
                        exchange="",
                        routing_key=message.properties["reply_to"],
                        correlation_id=message.properties["correlation_id"],
                        content_type="application/json",
                        content_encoding="utf-8",
                        headers=headers,
                    )
                channel.basic_ack(message.delivery_tag)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        stopping.set()
        thread.join(20)


def asking(context: Context, replies: tuple[ReplyRule, ...] = (), within: str = "20s") -> ExchangeDestination:
    wanted = {"name": "", "key": "credit.check", "queue": "credit.check", "answer": {"within": within}}
    with_replies = Context(
        context.site,
        context.broker,
        log=context.log,
        replies=replies,
        memory=context.memory,
        connect=context.connect,
        clock=SystemClock(),
    )
    return ExchangeDestination("credit", ExchangeDestinationOptions.model_validate(wanted), with_replies)


async def test_an_answer_is_waited_for_and_read_like_a_reply(
    broker: BrokerLifecycle, context: Context, amqp_vhost: str
) -> None:
    hold = ReplyRule(body={"/decision": "wait"}, hold="credit_hold")
    destination = asking(context, (hold,))
    await broker.declare(destination.topology())

    def decide(body: Any) -> Any:
        text = body if isinstance(body, str) else bytes(body).decode()
        if text == "busy":
            return '{"error": "later"}', {"status": 503}
        return ('{"decision": "wait"}' if text == "hold" else '{"decision": "yes"}'), {}

    with answering(amqp_vhost, "credit.check", decide) as asked:
        receipt = await destination.send(outgoing(b"pay", "k1"))
        assert receipt.reply == b'{"decision": "yes"}'
        with pytest.raises(RejectedError) as held:
            await destination.send(outgoing(b"hold", "k2"))
        with pytest.raises(TransientError) as busy:
            await destination.send(outgoing(b"busy", "k3"))
        together = await asyncio.gather(*(destination.send(outgoing(b"pay", f"m{n}")) for n in range(20)))
    assert held.value.hold == "credit_hold"
    assert busy.value.kind == "busy"
    reply = busy.value.reply
    assert reply is not None
    assert (reply.status, reply.headers["status"], reply.body) == (503, "503", b'{"error": "later"}')
    assert len(together) == 20
    assert asked[:3] == ["k1", "k2", "k3"]
    await destination.close()


async def test_an_answer_that_does_not_come(broker: BrokerLifecycle, context: Context, amqp_vhost: str) -> None:
    destination = asking(context, within="300ms")
    await broker.declare(destination.topology())
    with answering(amqp_vhost, "credit.check", lambda body: None):
        with pytest.raises(TransientError, match="no answer within") as late:
            await destination.send(outgoing())
        assert late.value.kind == "timeout"
    await destination.close()
