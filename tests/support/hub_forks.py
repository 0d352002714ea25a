"""Hubs and commands that begin at once: a process that has loaded the hub's modules forks one for each start. Most of
what a start costs is loading them; tests that kill a hub thirty times, or run a hundred commands, don't wait for that
each time.

`python -m tests.support.hub_forks` obeys lines of JSON until its standard input closes.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from hub.core.ports import Arrival, BytesBody
from tests.support.guard import Guard
from tests.support.site import HubProcess, SiteOnDisk, order

LOADED_LATER = (
    "adapters.bridge.source",
    "adapters.sftp.connection",
    "adapters.soap.serving.source",
    "hub.cli.messages.batch",
    "hub.cli.check",
    "hub.cli.messages.dead",
    "hub.cli.doctor",
    "hub.cli.messages.hold",
    "hub.cli.partner",
    "hub.cli.run",
    "hub.cli.messages.sent",
    "hub.cli.messages.trace",
    "hub.console.server",
    "s3fs",
    "tests.support.crashing_hub",
)
"""What a hub loads when it needs it."""


CompletedCommand = subprocess.CompletedProcess[str]


class HubForks:
    """The process that forks. What it has forked ends with it, and it ends with us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.hub_forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip
        self._guard = Guard(self._process)
        self._asking = threading.Lock()

    def fork(self, run: str, arguments: Sequence[str], environ: Mapping[str, str], out: Path, err: Path) -> Forked:
        """A process that calls `run` (module:function) with these arguments of `hub`, and writes its output to the
        files."""
        told = {"run": run, "arguments": [*arguments], "environ": {**environ}, "out": str(out), "err": str(err)}
        pid = self.ask(told)
        assert pid is not None
        return Forked(self, pid)

    def command(self, arguments: Sequence[str], environ: Mapping[str, str], timeout: float) -> CompletedCommand:
        """Runs a command of the hub to its end."""
        with TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            forked = self.fork("hub.main:main", arguments, environ, out, err)
            try:
                code = forked.wait(timeout)
            except subprocess.TimeoutExpired:
                forked.send_signal(signal.SIGKILL)
                forked.wait()
                raise
            return subprocess.CompletedProcess(["hub", *arguments], code, out.read_text(), err.read_text())

    def ask(self, question: dict[str, Any]) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            answer: int | None = json.loads(self._process.stdout.readline())
            return answer

    def close(self) -> None:
        self._process.communicate()
        self._guard.release()


class Forked:
    """A process of somebody else's, as `subprocess.Popen` would show it."""

    def __init__(self, forks: HubForks, pid: int) -> None:
        self._forks = forks
        self._code: int | None = None
        self.pid = pid

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._forks.ask({"ended": self.pid})
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + timeout if timeout is not None else None
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("hub", timeout or 0.0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkedHub(HubProcess):
    """A `hub run` that begins at once; with `crash` one that ends itself there (see `crashing_hub`)."""

    def __init__(self, site: SiteOnDisk, forks: HubForks, crash: str = "") -> None:
        super().__init__(site, environ={"HUB_CRASH": crash} if crash else None)
        bear_kills(site)
        self._forks = forks

    def _begin(self) -> Forked:
        arguments = ("run", "--site", str(self.site.folder), "--log-json")
        return self._forks.fork("tests.support.crashing_hub:run", arguments, self._environ, self.log, self.log)


def bear_kills(site: SiteOnDisk) -> None:
    """These tests kill hubs more often than a document may take part in, and no document is to blame for it."""
    settings = (site.folder / "config/hub.yaml").read_text()
    if "containment:" not in settings:
        site.write("config/hub.yaml", f"{settings}containment: {{poison_after: 100}}\n")


@cache
def forks() -> HubForks:
    """This test process's own; it ends when we do."""
    made = HubForks()
    atexit.register(made.close)
    return made


def main() -> None:
    for name in LOADED_LATER:
        import_module(name)
    asyncio.run(warm())
    gc.collect()
    gc.freeze()  # a fork that looked at all this would copy it
    for line in sys.stdin.buffer:
        told = json.loads(line)
        if "ended" in told:
            pid, status = os.waitpid(told["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                become(**told)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


async def warm() -> None:
    """Starts a hub and ends it: what it loads at its start, and what libraries then remember, each fork has."""
    serving = import_module("hub.console.server").serving
    with TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        async with SiteOnDisk(Path(folder)).running() as hub, serving(hub, "127.0.0.1:0"):
            await hub.intake.take(Arrival("inbox", BytesBody(order("1")), "1.json"))
    structlog.reset_defaults()


def become(run: str, arguments: list[str], environ: dict[str, str], out: str, err: str) -> None:
    written = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for path in (out, err)]
    for given, wanted in ((os.open(os.devnull, os.O_RDONLY), 0), (written[0], 1), (written[1], 2)):
        os.dup2(given, wanted)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["hub", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        module, _, name = run.partition(":")
        getattr(import_module(module), name)()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
    except Exception:
        traceback.print_exc()  # above is only the loop that forks
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
