"""The shared servers of one test run, in a process of their own that outlives no run.

The controller of the run starts it; workers ask it through a socket for the URL of a server, which starts with the
first question. It ends everything when its standard input closes: at the end of the run, however that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.postgres import PostgresServer, find_binaries
from tests.support.rabbitmq import RabbitNode, find_server

ADDRESS = "HUB_TEST_SERVERS"
"""The environment variable with the socket's path."""

GIVEN = {"rabbitmq": "HUB_TEST_AMQP_URL", "postgres": "HUB_TEST_DATABASE_URL"}
"""Environment variables that give a server instead of a private one."""

MISSING = {
    "rabbitmq": "RabbitMQ isn't installed here: set HUB_TEST_AMQP_URL, or run `python -m tests.support.provision`",
    "postgres": (
        "PostgreSQL isn't installed here: set HUB_TEST_DATABASE_URL, or run `python -m tests.support.provision`"
    ),
}


class ServerMissing(Exception):
    """There is no such server, and how to get one."""


class TestServers:
    """The process, as the controller of a test run sees it."""

    __test__ = False

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hub-test-", ignore_cleanup_errors=True)
        path = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._process.stdout.readline()
        os.environ[ADDRESS] = path

    def close(self) -> None:
        """Ends every server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._folder.cleanup()
        os.environ.pop(ADDRESS, None)


def server_url(kind: str) -> str:
    """The URL of the run's `rabbitmq` or `postgres`. Raises ServerMissing with what to do about it."""
    given = os.environ.get(GIVEN[kind])
    if given:
        return given
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        connection.sendall(kind.encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if "url" not in answer:
        raise ServerMissing(answer["missing"])
    return str(answer["url"])


AT_ONCE = 32
"""Virtual hosts that one start of rabbitmqctl makes."""

TRIES = 4


def fresh_vhost() -> str:
    """The URL of an empty virtual host in the run's RabbitMQ: for tests that run a whole hub, whose queues have fixed
    names. A given server has only the one that its URL names: run such tests one by one there."""
    url = server_url("rabbitmq")
    if os.environ.get(GIVEN["rabbitmq"]):
        return url
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        connection.sendall(b"vhost\n")
        answer = json.loads(connection.makefile().readline())
    if "url" not in answer:
        raise ServerMissing(answer["missing"])
    return str(answer["url"])


def main(path: str) -> None:
    """Serves until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[str, RabbitNode | PostgresServer] = {}
    spare: list[str] = []
    with contextlib.ExitStack() as stack, socket.socket(socket.AF_UNIX) as listener:
        stack.callback(shutil.rmtree, Path(path).parent, ignore_errors=True)
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            if any(key.fileobj is sys.stdin for key, _ in selector.select()):
                return
            connection, _ = listener.accept()
            with connection:
                kind = connection.makefile().readline().strip()
                reply = _answer(kind, running, spare, stack)
                with contextlib.suppress(OSError):
                    connection.sendall(json.dumps(reply).encode() + b"\n")


def _answer(
    kind: str, running: dict[str, RabbitNode | PostgresServer], spare: list[str], stack: contextlib.ExitStack
) -> dict[str, str]:
    try:
        if kind == "vhost":
            return {"url": _vhost(running["rabbitmq"], spare)}
        if kind not in running:
            server = _make(kind)
            stack.callback(server.close)
            server.start()
            running[kind] = server
    except (ServerMissing, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return {"missing": str(error)}
    return {"url": running[kind].url}


def _vhost(node: RabbitNode | PostgresServer, spare: list[str]) -> str:
    """The URL of one that nobody had. Several are made at once: a start of rabbitmqctl takes seconds, and on a busy
    machine it may not reach its node the first time. What was made by a call that failed is made again."""
    assert isinstance(node, RabbitNode)
    if not spare:
        names = [f"hub-{uuid.uuid4().hex}" for _ in range(AT_ONCE)]
        for left in reversed(range(TRIES)):
            try:
                _add(node, names)
                break
            except (RuntimeError, subprocess.SubprocessError):
                if not left:
                    raise
        spare.extend(names)
    return urlunsplit(urlsplit(node.url)._replace(path=f"/{spare.pop()}"))


def _add(node: RabbitNode, names: list[str]) -> None:
    """Raises RuntimeError and SubprocessError."""
    user, listed = '<<"guest">>', ", ".join(f'<<"{name}">>' for name in names)
    allowed = ", ".join(['<<".*">>'] * 3)
    each = (
        f"ok = rabbit_vhost:add(V, {user}), "
        f"ok = rabbit_auth_backend_internal:set_permissions({user}, V, {allowed}, {user})"
    )
    made = node.control("eval", f"lists:foreach(fun(V) -> {each} end, [{listed}]).")
    if made.strip() != "ok":
        raise RuntimeError(f"rabbitmqctl made no virtual hosts: {made}")


def _make(kind: str) -> RabbitNode | PostgresServer:
    if kind == "rabbitmq" and (script := find_server()):
        return RabbitNode(script)
    if kind == "postgres" and (binaries := find_binaries()):
        return PostgresServer(binaries)
    raise ServerMissing(MISSING[kind])


if __name__ == "__main__":
    main(sys.argv[1])


def unavailable(reason: str) -> NoReturn:
    """In CI a missing server is a failure, on a laptop a skip that says how to get it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
