"""A private Redis server on the loopback."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.support.guard import Guard
from tests.support.ports import free_ports

MISSING = "Redis isn't installed here: run `python -m tests.support.provision redis`"


def find_redis() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


class RedisServer:
    """One server with an append-only file: stop and start keep what it has."""

    def __init__(self, binary: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._binary = binary
        self._folder = folder
        self.port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--appendonly", "yes"]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [str(self._binary), *options, "--appendfsync", "always"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard = Guard(self._process)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError((self._folder / "log").read_text())

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._guard is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            self._guard.release()
