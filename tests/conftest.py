"""Fixtures for the real servers. Each worker of a parallel run sees the same private servers."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog
from hypothesis import settings

from tests.support.migrated import TEMPLATE, make_template
from tests.support.openssh import MISSING as SSHD_MISSING
from tests.support.openssh import OpenSsh, find_sshd
from tests.support.proxy import TcpProxy
from tests.support.rabbitmq import RabbitNode, find_server, private_node
from tests.support.redis import MISSING as REDIS_MISSING
from tests.support.redis import RedisServer, find_redis
from tests.support.servers import GIVEN, MISSING, ServerMissing, TestServers, fresh_vhost, server_url, unavailable

TESTS_BETWEEN_FREEZES = 200
_finished = count(1)
_SERVERS = pytest.StashKey[TestServers]()


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("any machine", deadline=None)  # how long an example takes is no property of ours
    settings.load_profile("any machine")
    if not hasattr(config, "workerinput"):
        config.stash[_SERVERS] = TestServers()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Collects no garbage while the tests are collected: all of it stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        _freeze()
        gc.enable()


def pytest_runtest_logfinish() -> None:
    if next(_finished) % TESTS_BETWEEN_FREEZES == 0:
        _freeze()


def _freeze() -> None:
    """What is there now stays to the end (tests, models, compiled sets), and later garbage collections don't look at it.
    They would take a quarter of a second each, in the middle of a test."""  # noqa: E501
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVERS in config.stash:
        config.stash[_SERVERS].close()


def _url(kind: str) -> str:
    try:
        return server_url(kind)
    except ServerMissing as missing:
        unavailable(str(missing))
        raise


@pytest.fixture(scope="session")
def amqp_url() -> str:
    """The run's RabbitMQ: use unique names in it."""
    return _url("rabbitmq")


@pytest.fixture
def amqp_vhost(amqp_url: str) -> str:
    """An empty virtual host of this test's own in the run's RabbitMQ: for a whole hub, whose queues have fixed
    names."""
    return fresh_vhost()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The run's PostgreSQL: its maintenance database."""
    return _url("postgres")


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh database in the run's PostgreSQL, with the tables of a journal and nothing in them; gone after the
    test."""
    async with fresh_database(postgres_url, migrated=not os.environ.get(GIVEN["postgres"])) as url:
        yield url


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh database without tables."""
    async with fresh_database(postgres_url, migrated=False) as url:
        yield url


@asynccontextmanager
async def fresh_database(postgres_url: str, *, migrated: bool) -> AsyncIterator[str]:
    name = f"hub_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres_url)
    try:
        if migrated:
            await make_template(connection, postgres_url)
        await connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE}" if migrated else ""))
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def rabbit_node() -> Iterator[RabbitNode]:
    """A running node of this test's own, to stop, start and kill."""
    server = find_server()
    if server is None:
        unavailable(MISSING["rabbitmq"])
        return
    with private_node(server) as node:
        yield node


@pytest.fixture
async def tcp_proxy(amqp_url: str) -> AsyncIterator[TcpProxy]:
    """A proxy before the run's RabbitMQ: `proxy.through(amqp_url)` is the URL to use."""
    parts = urlsplit(amqp_url)
    proxy = TcpProxy(parts.hostname or "127.0.0.1", parts.port or 5672)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
def unique() -> str:
    """A name that no other test has."""
    return uuid.uuid4().hex[:12]


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[OpenSsh]:
    """A running OpenSSH server of this test's own, with nothing in its home folder."""
    sshd = find_sshd()
    if sshd is None:
        unavailable(SSHD_MISSING)
        return
    server = OpenSsh(sshd, tmp_path / "openssh")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis of this test's own."""
    binary = find_redis()
    if binary is None:
        unavailable(REDIS_MISSING)
        return
    server = RedisServer(binary, tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A command that ran in this process may have said which log lines count: no other test is told so."""
    yield
    structlog.reset_defaults()
