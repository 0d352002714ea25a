"""A process that asks a hub for its health, again and again: `python -m tests.support.asking_for_health URL PID`.

For each question it writes a line: how many seconds the answer took, and how many of them the machine gave no processor
to the hub's threads, or to this process, that wanted one. The rest is what the hub itself let the asker wait. It ends
when its input does."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PATHS = ("/health/live", "/health/ready")


def kept_waiting(process: int) -> float:
    """Seconds for which threads of the process were runnable and did not run, all together."""
    waited = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            waited += int((task / "schedstat").read_text().split()[1])
        except OSError:
            continue  # a thread that has just ended
    return waited / 1e9


def ask(url: str) -> None:
    """It answers; on a machine that is short of time it may say that it isn't ready."""
    try:
        with urllib.request.urlopen(url, timeout=60) as reply:
            status = reply.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    assert status == 200 or (status == 503 and url.endswith("ready")), (url, status)


def main() -> None:
    url, hub = sys.argv[1], int(sys.argv[2])
    count = 0
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        before, began = kept_waiting(hub) + kept_waiting(os.getpid()), time.monotonic()
        ask(url + PATHS[count % len(PATHS)])
        took, count = time.monotonic() - began, count + 1
        print(json.dumps([took, kept_waiting(hub) + kept_waiting(os.getpid()) - before]), flush=True)


class HealthAsker:
    """Asks the hub of this process, in a process of its own, until it is stopped."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", __name__, url, str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self) -> list[float]:
        """How many seconds the hub itself let it wait for each answer. Blocks."""
        said, _ = self._process.communicate("", timeout=120)
        assert self._process.returncode == 0
        return [took - machine for took, machine in map(json.loads, said.splitlines())]


if __name__ == "__main__":
    main()
