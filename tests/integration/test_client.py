"""The synchronous client and its outbox, on a real RabbitMQ and PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.client import HubClient, NotPublished, NotRouted
from hub.client.outbox import Outbox
from hub.clock.system_clock import SystemClock
from hub.core.broker import BrokerLifecycle
from hub.core.errors import DecodeError
from hub.core.topology import Binding, Exchange, Queue, Topology
from hub.documents import Order, from_json, to_json
from tests.support.brokers import Inbox, depth_becomes, eventually
from tests.support.erp import Erp
from tests.support.proxy import TcpProxy
from tests.support.site import SiteOnDisk, order

pytestmark = pytest.mark.rabbitmq

WANTED = {"exchange": "shop.events", "key": "order.placed"}


@pytest.fixture
async def broker(amqp_vhost: str) -> AsyncIterator[BrokerLifecycle]:
    made = RabbitBroker(amqp_vhost, SystemClock(), name="test")
    await made.open()
    exchange, queue = Exchange("shop.events"), Queue("shop.q")
    await made.declare(Topology((exchange,), (queue,), (Binding("shop.events", "shop.q", "order.*"),)))
    yield made
    await made.close()


@pytest.fixture
def client(amqp_vhost: str) -> Iterator[HubClient]:
    with HubClient(amqp_vhost, timeout=10.0) as made:
        yield made


def an_order(number: str = "1") -> Order:
    found = from_json(order(number))
    assert isinstance(found, Order)
    return found


async def test_a_document_is_confirmed_and_arrives_as_it_was(broker: BrokerLifecycle, client: HubClient) -> None:
    document = an_order("104582")
    id = await asyncio.to_thread(client.publish, document, **WANTED, correlation_id="c1", headers={"region": "west"})
    inbox = Inbox(ack=True)
    await broker.consume("shop.q", inbox)
    got = (await inbox.next()).message
    assert (got.id, got.body, got.type, got.content_type) == (id, to_json(document), "order@1", "application/json")
    assert (got.correlation_id, got.headers["region"]) == ("c1", "west")


async def test_mappings_and_bytes_are_checked_before_they_leave(broker: BrokerLifecycle, client: HubClient) -> None:
    document = an_order()
    made = {"document": "order@1", "number": "1", "lines": [{"number": "1", "quantity": "1", "unit": "EA"}]}
    ids = [client.publish(each, **WANTED) for each in (document, to_json(document), made)]
    assert ids[0] == ids[1] != ids[2]
    for wrong in (b"not json", {"document": "order@1", "number": 5}, {"document": "poem@1"}, b"[]"):
        with pytest.raises(DecodeError):
            client.publish(wrong, **WANTED)
    await depth_becomes(broker, "shop.q", 3)


def test_nothing_bound_and_no_exchange_are_said(broker: BrokerLifecycle, client: HubClient) -> None:
    with pytest.raises(NotRouted, match="no queue for key 'invoice'"):
        client.publish(an_order(), exchange="shop.events", key="invoice")
    with pytest.raises(NotRouted, match=r"nowhere"):
        client.publish(an_order(), exchange="nowhere", key="x")
    client.publish(an_order(), **WANTED)


def test_no_broker_in_time() -> None:
    begun = time.monotonic()
    with HubClient("amqp://127.0.0.1:1/", timeout=1.0) as client, pytest.raises(NotPublished, match="within 1s"):
        client.publish(an_order(), **WANTED)
    assert time.monotonic() - begun < 15


async def test_the_next_broker_is_tried(broker: BrokerLifecycle, amqp_vhost: str) -> None:
    with HubClient(f"amqp://127.0.0.1:1/;{amqp_vhost}", timeout=15.0) as client:
        await asyncio.to_thread(client.publish, an_order(), **WANTED)
    await depth_becomes(broker, "shop.q", 1)


async def test_a_connection_that_breaks_is_replaced(broker: BrokerLifecycle, amqp_vhost: str) -> None:
    from urllib.parse import urlsplit

    proxy = TcpProxy("127.0.0.1", urlsplit(amqp_vhost).port or 5672)
    await proxy.start()
    with HubClient(proxy.through(amqp_vhost), timeout=15.0) as client:
        await asyncio.to_thread(client.publish, an_order("1"), **WANTED)
        proxy.cut()
        await asyncio.to_thread(client.publish, an_order("2"), **WANTED)
    await proxy.close()
    await depth_becomes(broker, "shop.q", 2)


async def test_threads_share_a_client(broker: BrokerLifecycle, client: HubClient) -> None:
    def some(part: int) -> None:
        for n in range(20):
            client.publish(an_order(f"{part}-{n}"), **WANTED)

    await asyncio.gather(*(asyncio.to_thread(some, part) for part in range(5)))
    await depth_becomes(broker, "shop.q", 100)


async def test_from_the_client_through_a_whole_hub(tmp_path: Path, amqp_vhost: str, database_url: str) -> None:
    with Erp().serving() as erp:
        site = SiteOnDisk(tmp_path, erp.url, amqp=amqp_vhost, journal=database_url)
        async with site.running():
            with HubClient(amqp_vhost) as client:
                for _ in range(2):
                    await asyncio.to_thread(client.publish, an_order("77"), **WANTED)

            async def delivered() -> bool:
                return len(erp.requests) == 1

            await eventually(delivered)
            await asyncio.sleep(0.3)
        assert len(erp.requests) == 1


# --- the outbox


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        made = sa.create_engine(f"sqlite:///{tmp_path}/shop.db")
    else:
        url = str(request.getfixturevalue("database_url")).replace("postgresql://", "postgresql+psycopg://")
        made = sa.create_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine: sa.Engine) -> Outbox:
    made = Outbox()
    made.create(engine)
    return made


async def test_what_is_committed_is_published_once_and_what_is_rolled_back_never(
    engine: sa.Engine, outbox: Outbox, broker: BrokerLifecycle, client: HubClient
) -> None:
    with engine.begin() as connection:
        for n in range(3):
            outbox.add(connection, an_order(str(n)), **WANTED)
    with engine.connect() as connection:
        outbox.add(connection, an_order("never"), **WANTED)
        connection.rollback()
    assert await asyncio.to_thread(outbox.relay, engine, client) == 3
    assert await asyncio.to_thread(outbox.relay, engine, client) == 0
    inbox = Inbox(ack=True)
    await broker.consume("shop.q", inbox)
    numbers = [from_json((await inbox.next()).message.body).number for _ in range(3)]
    assert numbers == ["0", "1", "2"]


async def test_a_row_that_cannot_be_published_stays_with_those_behind_it(
    engine: sa.Engine, outbox: Outbox, broker: BrokerLifecycle, client: HubClient
) -> None:
    with engine.begin() as connection:
        outbox.add(connection, an_order("1"), **WANTED)
        outbox.add(connection, an_order("2"), exchange="shop.events", key="nobody")
        outbox.add(connection, an_order("3"), **WANTED)
    with pytest.raises(NotRouted):
        await asyncio.to_thread(outbox.relay, engine, client)
    await depth_becomes(broker, "shop.q", 1)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(outbox.table)).scalar_one() == 2


@pytest.mark.postgres
async def test_two_relays_publish_each_row_once(database_url: str, broker: BrokerLifecycle, amqp_vhost: str) -> None:
    engine = sa.create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    outbox = Outbox()
    outbox.create(engine)
    with engine.begin() as connection:
        for n in range(300):
            outbox.add(connection, an_order(str(n)), **WANTED)
    counts: list[int] = []

    def relay() -> None:
        with HubClient(amqp_vhost) as client:
            counts.append(outbox.relay(engine, client))

    threads = [threading.Thread(target=relay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    engine.dispose()
    assert sum(counts) == 300
    await depth_becomes(broker, "shop.q", 300)


def test_what_is_no_document_never_reaches_the_table(engine: sa.Engine, outbox: Outbox) -> None:
    with engine.begin() as connection, pytest.raises(DecodeError):
        outbox.add(connection, {"number": 1}, as_="order@1", **WANTED)
