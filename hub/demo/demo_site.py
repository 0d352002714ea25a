"""The demo's stage: a copy of the sample site in var/demo, and a real hub process on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hub.clock.system_clock import SystemClock
from hub.core.errors import HubError
from hub.demo.peers import Peers

START_SECONDS = 60.0
SAID_SECONDS = 20.0


class DemoSite:
    """One hub process on a site of its own. Ends with `close`, whatever happened."""

    def __init__(self, sample: Path, folder: Path, peers: Peers, broker: str | None) -> None:
        self.site = folder
        self._environ = {**os.environ, **peers.environ, "HUB_DEMO_AMQP_URL": broker or ""}
        self._broker = broker
        self._process: subprocess.Popen[bytes] | None = None
        self._build(sample, peers.cora.port)

    def _build(self, sample: Path, cora_port: int) -> None:
        for part in ("config", "routes"):
            if not (sample / part).is_dir():
                raise HubError(f"{sample} is not the sample site: it has no {part}/ folder")
        if self.site.exists():
            shutil.rmtree(self.site)
        for part in ("config", "routes"):
            shutil.copytree(sample / part, self.site / part)
        broker = "amqp: ${HUB_DEMO_AMQP_URL:-amqp://127.0.0.1:5672/}" if self._broker else "broker: embedded"
        text = f"{broker}\njournal: var/hub.db\nclaims: var/claims\nconsole: {{listen: 127.0.0.1:0}}\n"
        (self.site / "config" / "hub.yaml").write_text(text)
        endpoints = self.site / "config" / "endpoints.yaml"  # a port is a number, which no environment variable can be
        endpoints.write_text(endpoints.read_text().replace("port: 2223", f"port: {cora_port}"))

    @property
    def log(self) -> Path:
        return self.site / "var" / "hub.log"

    def start(self) -> None:
        """Returns when the hub is ready. Raises HubError with what its log says when it is not in time."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "hub", "run", "--site", str(self.site), "--log-json", "--stop-after", "10"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environ
            )
        clock = SystemClock()
        deadline = clock.monotonic() + START_SECONDS
        while clock.monotonic() < deadline:
            if self._process.poll() is not None:
                raise HubError(f"the hub ended with code {self._process.returncode}:\n{self._tail()}")
            if self._ready():
                return
            clock.pause(0.1)
        raise HubError(f"the hub was not ready after {START_SECONDS:.0f} seconds:\n{self._tail()}")

    def _ready(self) -> bool:
        url = next((line["url"] for line in self.lines() if line.get("event") == "console"), None)
        if url is None:
            return False
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2) as reply:  # noqa: S310  (our own console)
                return bool(reply.status == 200)
        except (urllib.error.URLError, TimeoutError):
            return False

    def lines(self) -> list[dict[str, Any]]:
        """What the hub has logged."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines() if self.log.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def said(self, event: str, key: str) -> Any:
        """What the hub has logged of an event under a key. Raises HubError when it hasn't, also a little later."""
        clock = SystemClock()
        deadline = clock.monotonic() + SAID_SECONDS
        while clock.monotonic() < deadline:
            for line in self.lines():
                if line.get("event") == event:
                    return line[key]
            clock.pause(0.1)
        raise HubError(f"the hub has never said {event}:\n{self._tail()}")

    def fixture(self, name: str) -> Path:
        return self.site / "routes" / "fixtures" / name

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def drop(self, fixture: str, name: str | None = None) -> None:
        """Puts a fixture into the drop folder, the way a careful partner does: by a rename."""
        folder = self.site / "var" / "drop" / "acme"
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name or fixture}.part"
        shutil.copyfile(self.fixture(fixture), part)
        part.rename(folder / (name or fixture))

    def close(self) -> int | None:
        """Stops the hub with SIGTERM; its exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._process.returncode
