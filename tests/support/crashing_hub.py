"""A `hub` that ends itself by SIGKILL at one hand-over: `python -m tests.support.crashing_hub run --site DIR`.

HUB_CRASH names the hand-over and the time it is passed: `confirm:3` dies when the third publish is confirmed. Nothing
of the hub is replaced; its own steps are only counted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import kombu.message

import adapters.file.source
from adapters.file import FileDestination, FileSource, StoreSource
from adapters.http.posting import Posting
from adapters.rest import RestDestination
from adapters.sftp import SftpDestination
from adapters.sftp.connection import Connection
from adapters.sftp.remote_folder import RemoteFolder
from adapters.sftp_server.source import SftpServerSource
from adapters.soap.serving.call import SoapCall
from hub.broker.embedded.embedded_broker import EmbeddedBroker, EmbeddedDelivery
from hub.broker.rabbit.consumer import RabbitDelivery
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.documents import BATCH
from hub.journal.batches.batches import Batches
from hub.journal.journal import Journal
from hub.journal.processes.memory import JournalMemory
from hub.main import main
from hub.runtime.intake.intake import Intake

POINTS = (
    "claim",
    "publish",
    "confirm",
    "before_send",
    "after_send",
    "before_commit",
    "after_commit",
    "before_ack",
    "after_ack",
)
BATCH_POINTS = (
    "batch_closed",
    "batch_publish",
    "batch_confirm",
    "batch_published",
    "batch_send",
    "batch_sent",
)
"""Hand-overs of a batch, beside those of its members."""

SOURCE_POINTS = ("offered", "confirm", "after_commit", "taken", "acknowledged")
"""Hand-overs between a source and the intake: with `taken` it knows that it may acknowledge, with `acknowledged` it
has."""


UPLOAD_POINTS = ("sftp_written", "sftp_marked", "sftp_closed")
"""Hand-overs of a file: its last piece is to be written; the journal knows it, and the server has it; the server has
closed it."""


class Bomb:
    """Counts the passes of one hand-over."""

    def __init__(self, text: str) -> None:
        point, _, times = text.partition(":")
        self._point = point
        self._left = int(times or 1)

    def passes(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def arm_intake(bomb: Bomb) -> None:
    """Counts what the intake is offered, and what it has taken before the source hears of it."""
    take = Intake.take

    async def counted(self: Intake, *arguments: Any, **more: Any) -> Any:
        bomb.passes("offered")
        result = await take(self, *arguments, **more)
        bomb.passes("taken")
        return result

    Intake.take = counted  # type: ignore[method-assign]


def arm_acknowledgments(bomb: Bomb) -> None:
    """Counts what sources have acknowledged, each in its way."""
    for owner, name in (
        (adapters.file.source, "move"),
        (StoreSource, "_put_away"),
        (RemoteFolder, "put_away"),
        (SftpServerSource, "_put_away"),
        (kombu.message.Message, "ack"),
        (RabbitDelivery, "ack"),
    ):
        around(owner, name, after=lambda: bomb.passes("acknowledged"))
    for owner, name in ((JournalMemory, "put"), (Posting, "answer"), (SoapCall, "answer")):
        around_awaited(owner, name, lambda: bomb.passes("acknowledged"))


def arm(bomb: Bomb) -> None:
    """Counts at every hand-over of the path of a message."""
    around(FileSource, "_offer", before=lambda: bomb.passes("claim"))
    arm_intake(bomb)
    arm_acknowledgments(bomb)
    for broker in (EmbeddedBroker, RabbitBroker):
        count_publishes(broker, bomb)
    for delivery in (EmbeddedDelivery, RabbitDelivery):
        around(delivery, "ack", before=lambda: bomb.passes("before_ack"), after=lambda: bomb.passes("after_ack"))
    send = RestDestination.send

    async def counted(self: RestDestination, outgoing: Any) -> Any:
        bomb.passes("before_send")
        receipt = await send(self, outgoing)
        bomb.passes("after_send")
        return receipt

    RestDestination.send = counted  # type: ignore[method-assign]
    commit = Journal.commit

    def committing(self: Journal, entry: Any) -> Any:
        bomb.passes("before_commit")
        future = commit(self, entry)
        future.add_done_callback(lambda done: bomb.passes("after_commit"))
        return future

    Journal.commit = committing  # type: ignore[method-assign]
    arm_batches(bomb)
    around(SftpDestination, "_remember", before=lambda: bomb.passes("sftp_written"))
    around(Connection, "_close", before=lambda: bomb.passes("sftp_marked"), after=lambda: bomb.passes("sftp_closed"))


def arm_batches(bomb: Bomb) -> None:
    """Counts at every hand-over of a batch."""
    close, published, send = Batches.close, Batches.published, FileDestination.send

    async def closing(self: Batches, *arguments: Any) -> str | None:
        id = await close(self, *arguments)
        if id is not None:
            bomb.passes("batch_closed")
        return id

    async def publishing(self: Batches, *arguments: Any) -> None:
        await published(self, *arguments)
        bomb.passes("batch_published")

    async def sending(self: FileDestination, outgoing: Any) -> Any:
        if outgoing.document == BATCH:
            bomb.passes("batch_send")
        receipt = await send(self, outgoing)
        if outgoing.document == BATCH:
            bomb.passes("batch_sent")
        return receipt

    Batches.close = closing  # type: ignore[method-assign, assignment]
    Batches.published = publishing  # type: ignore[method-assign, assignment]
    FileDestination.send = sending  # type: ignore[method-assign]


def count_publishes(broker: type, bomb: Bomb) -> None:
    publish: Callable[..., Awaitable[None]] = broker.publish  # type: ignore[attr-defined]

    def counted(self: Any, exchange: str, key: str, message: Any, **options: Any) -> Any:
        batch = message.headers.get("hub-document") == BATCH
        if batch:
            bomb.passes("batch_publish")
        future: Any = publish(self, exchange, key, message, **options)
        if batch:
            future.add_done_callback(lambda done: bomb.passes("batch_confirm"))
        if exchange == "":
            bomb.passes("publish")
            future.add_done_callback(lambda done: bomb.passes("confirm"))
        return future

    broker.publish = counted  # type: ignore[attr-defined]


def around(owner: Any, name: str, before: Any = None, after: Any = None) -> None:
    step = getattr(owner, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        if before is not None:
            before()
        result = step(*arguments, **options)
        if after is not None:
            after()
        return result

    setattr(owner, name, counted)


def around_awaited(owner: Any, name: str, after: Callable[[], None]) -> None:
    step = getattr(owner, name)

    async def counted(*arguments: Any, **options: Any) -> Any:
        result = await step(*arguments, **options)
        after()
        return result

    setattr(owner, name, counted)


def run() -> None:
    """The hub, armed where it is told to."""
    if "HUB_CRASH" in os.environ:
        arm(Bomb(os.environ["HUB_CRASH"]))
    main()


if __name__ == "__main__":
    run()
