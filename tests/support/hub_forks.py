"""Hub processes that begin at once: a process that has loaded the hub's modules forks one for each start. Most of what a
start costs is loading them; tests that kill a hub thirty times don't wait for that thirty times.

`python -m tests.support.hub_forks` obeys lines of JSON until its standard input closes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.guard import Guard
from tests.support.site import HubProcess, SiteOnDisk

LOADED_LATER = (
    "adapters.bridge.source",
    "adapters.sftp.connection",
    "adapters.soap.serving.source",
    "hub.cli.run",
    "hub.console.server",
    "s3fs",
    "tests.support.crashing_hub",
)
"""What a hub loads when it needs it."""


class HubForks:
    """The process that forks. What it has forked ends with it, and it ends with us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.hub_forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip
        self._guard = Guard(self._process)
        self._asking = threading.Lock()

    def fork(self, site: Path, environ: dict[str, str], log: Path) -> Forked:
        pid = self.ask({"site": str(site), "environ": environ, "log": str(log)})
        assert pid is not None
        return Forked(self, pid)

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
        self._forks = forks

    def _begin(self) -> Forked:
        return self._forks.fork(self.site.folder, self._environ, self.log)


def main() -> None:
    for name in LOADED_LATER:
        import_module(name)
    import_module("hub.app.plugin_discovery").discover()
    for line in sys.stdin.buffer:
        told = json.loads(line)
        if "ended" in told:
            pid, status = os.waitpid(told["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                become_a_hub(**told)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def become_a_hub(site: str, environ: dict[str, str], log: str) -> None:
    nothing, written = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for given, wanted in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(given, wanted)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["hub", "run", "--site", site, "--log-json"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        crashing = import_module("tests.support.crashing_hub")
        crashing.run()
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
