"""A test run that is killed leaves no server behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import eventually

STARTS = {
    "openssh": "from tests.support.openssh import OpenSsh as Server, find_sshd as find",
    "redis": "from tests.support.redis import RedisServer as Server, find_redis as find",
}
PROGRAM = (
    "{}\nimport pathlib, signal, sys\nserver = Server(find(),"
    " pathlib.Path(sys.argv[1]))\nserver.start()\nprint(server.port, flush=True)\nsignal.pause()\n"
)
FIXTURES = {"openssh": "openssh", "redis": "redis_server"}


@pytest.mark.parametrize("kind", STARTS)
async def test_a_server_ends_with_the_process_that_started_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(FIXTURES[kind])  # says where the server isn't installed
    command = [sys.executable, "-c", PROGRAM.format(STARTS[kind]), str(tmp_path / "its")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), 5):
            starter.send_signal(signal.SIGKILL)

    async def gone() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    await eventually(gone)
