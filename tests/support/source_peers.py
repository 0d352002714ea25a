"""The far ends to which the hub comes: folders, stores, servers, brokers; and the clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import kombu

from adapters.schedule import LAST
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.core.message import Message
from hub.core.ports import Source
from hub.core.topology import Queue, Topology
from hub.journal.processes.memory import JournalMemory
from tests.support.moto_store import Bucket
from tests.support.openssh import OpenSsh
from tests.support.proxy import TcpProxy
from tests.support.redis import RedisServer
from tests.support.source_peer import Seat, SourcePeer

ACK = b"\x00\x3c\x00\x50"
"""AMQP's method basic.ack, as it stands in a frame."""


class FilePeer(SourcePeer):
    """Who renames a file into a folder; goes: another thing stands where the share was mounted."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self._share = seat.folder / "share"
        self._folder = self._share / "drop"

    def source(self) -> Source:
        return self.built("file", {"folder": "share/drop", "match": "*.json", "settle": "0s", "poll": "50ms"})

    async def offer(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "1.json.tmp").write_bytes(self.body)
        (self._folder / "1.json.tmp").rename(self._folder / "1.json")

    async def acknowledged(self) -> bool:
        return not (self._folder / "1.json").exists() and not list((self._folder / ".hub-work").iterdir())

    async def goes(self) -> None:
        self._share.rename(self.seat.folder / "away")
        self._share.write_bytes(b"")

    async def comes(self) -> None:
        self._share.unlink()
        (self.seat.folder / "away").rename(self._share)


class Behind(SourcePeer):
    """A far end behind a proxy: goes when the proxy refuses everybody."""

    def __init__(self, seat: Seat, proxy: TcpProxy) -> None:
        super().__init__(seat)
        self._proxy = proxy

    async def goes(self) -> None:
        self._proxy.refuse()

    async def comes(self) -> None:
        self._proxy.allow()


class StorePeer(Behind):
    """A bucket."""

    def __init__(self, seat: Seat, proxy: TcpProxy, bucket: Bucket) -> None:
        super().__init__(seat, proxy)
        self._bucket = bucket
        client = {"config_kwargs": {"connect_timeout": 2, "read_timeout": 2}}
        options = {"key": "k", "secret": "s", "endpoint_url": f"http://127.0.0.1:{proxy.port}", **client}
        self._store = self.endpoint("store", {"url": "s3://acme/", "options": options})

    def source(self) -> Source:
        wanted = {"store": "peer", "folder": "out", "match": "*.json", "settle": "0s", "poll": "50ms"}
        return self.built("file", wanted, self._store)

    async def offer(self) -> None:
        await asyncio.to_thread(self._bucket.put, "out/1.json", self.body)

    async def acknowledged(self) -> bool:
        keys = await asyncio.to_thread(self._bucket.keys, "out/")
        return bool(keys) and "out/1.json" not in keys


class SftpPeer(Behind):
    """A partner's OpenSSH."""

    def __init__(self, seat: Seat, proxy: TcpProxy, server: OpenSsh) -> None:
        super().__init__(seat, proxy)
        self._out = server.home / "out"
        self._out.mkdir()
        login = {"user": server.user, "key": str(server.key), "host_key": server.fingerprint}
        self._partner = self.endpoint(
            "sftp", {"host": "127.0.0.1", "port": proxy.port, "timeout": "3s", "connect_timeout": "3s", **login}
        )

    def source(self) -> Source:
        wanted = {"endpoint": "peer", "folder": "out", "settle": "0s", "poll": "50ms"}
        return self.built("sftp", wanted, self._partner)

    async def offer(self) -> None:
        (self._out / ".1.tmp").write_bytes(self.body)
        (self._out / ".1.tmp").rename(self._out / "1.json")

    async def acknowledged(self) -> bool:
        return not (self._out / "1.json").exists() and not list(self._out.glob(".hub-work*/*"))


class ListeningProxy(TcpProxy):
    """Remembers what went over the line."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.heard = bytearray()

    def passes(self, data: bytes) -> None:
        self.heard += data


class QueuePeer(Behind):
    """A queue on another RabbitMQ than the hub's; it hears of an acknowledgment by what comes over the line."""

    name = "m1"

    def __init__(self, seat: Seat, proxy: ListeningProxy, broker: RabbitBroker, url: str) -> None:
        super().__init__(seat, proxy)
        self._line = proxy
        self._broker = broker
        self._queue = f"orders.{seat.unique}"
        self._cluster = self.endpoint("amqp", {"url": proxy.through(url)})

    @property
    def facts(self) -> dict[str, Any]:
        return {"region": "west"}

    def source(self) -> Source:
        wanted = {"endpoint": "peer", "queue": self._queue, "facts": {"region": "header.x-region"}}
        return self.built("exchange", wanted, self._cluster)

    async def offer(self) -> None:
        self._line.heard.clear()
        await self._broker.declare(Topology(queues=(Queue(self._queue),)))
        await self._publish()

    async def _publish(self) -> None:
        await self._broker.publish("", self._queue, Message("m1", self.body, headers={"x-region": "west"}))

    async def acknowledged(self) -> bool:
        return ACK in self._line.heard

    async def close(self) -> None:
        await super().close()
        await self._broker.delete_queue(self._queue, if_empty=False)


class StreamPeer(QueuePeer):
    """A stream there: acknowledged is what the hub remembers to have read."""

    def __init__(self, seat: Seat, proxy: ListeningProxy, broker: RabbitBroker, url: str) -> None:
        super().__init__(seat, proxy, broker, url)
        self._offered = 0

    def source(self) -> Source:
        wanted = {"endpoint": "peer", "queue": self._queue, "facts": {"region": "header.x-region"}}
        return self.built("stream", wanted, self._cluster)

    async def offer(self) -> None:
        await self._broker.declare(Topology(queues=(Queue(self._queue, kind="stream"),)))
        await self._publish()
        self._offered += 1

    async def acknowledged(self) -> bool:
        memory = JournalMemory(self.seat.journal, self.source_name)
        return await memory.get("next") == str(self._offered)


class RedisPeer(Behind):
    """A queue in Redis; what is taken and not acknowledged stands beside it."""

    name = ""

    def __init__(self, seat: Seat, proxy: TcpProxy, server: RedisServer) -> None:
        super().__init__(seat, proxy)
        self._url = server.url
        options = {"visibility_timeout": 2, "unacked_restore_limit": 1000, "socket_timeout": 3}
        self._bridge = self.endpoint("bridge", {"url": f"redis://127.0.0.1:{proxy.port}/0", "options": options})

    @property
    def facts(self) -> dict[str, Any]:
        return {"region": "west"}

    def source(self) -> Source:
        wanted = {"endpoint": "peer", "queue": "orders", "facts": {"region": "header.x-region"}}
        return self.built("bridge", wanted, self._bridge)

    async def offer(self) -> None:
        await asyncio.to_thread(self._publish)

    def _publish(self) -> None:
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            kombu.Producer(channel).publish(
                self.body, routing_key="orders", declare=[kombu.Queue("orders")], content_type="application/json",
                content_encoding="binary", headers={"x-region": "west"},
            )  # fmt: skip

    async def acknowledged(self) -> bool:
        return await asyncio.to_thread(self._left) == 0

    def _left(self) -> int:
        with kombu.Connection(self._url) as connection, connection.channel() as channel:
            return int(channel.client.llen("orders")) + int(channel.client.hlen("unacked"))


class ClockPeer(SourcePeer):
    """The clock: a firing that was five minutes ago, while no hub ran. It never goes."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self._firing = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
        self._memory = JournalMemory(seat.journal, self.source_name)
        self.name = f"{self.source_name} {self._firing.isoformat()}"

    def source(self) -> Source:
        cron = f"{self._firing.minute} {self._firing.hour} * * *"
        return self.built("schedule", {"cron": cron, "emit": self.body.decode()})

    async def offer(self) -> None:
        await self._memory.put(LAST, (self._firing - timedelta(minutes=1)).isoformat())

    async def acknowledged(self) -> bool:
        return await self._memory.get(LAST) == self._firing.isoformat()

    async def goes(self) -> None:
        raise NotImplementedError
