"""A site for tests, in a folder of its own, and a hub that runs on it: in this process, or in one of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.app.logs import make_logger
from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.plugins import Plugins
from hub.documents import Order, to_json
from tests.support.brokers import LIMIT
from tests.support.guard import Guard
from tests.support.migrated import lay_journal

INBOX = """\
format: 1
owner: order-desk
sources:
  inbox:
    file: {folder: var/drop, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: {json: order@1}
"""
"""How most routes files of tests begin: orders in canonical JSON are dropped into var/drop."""

ROUTES = (
    INBOX
    + """\
  edi:
    file: {folder: var/edi, settle: 0s, poll: 50ms}
    read: x12
  shop:
    exchange: {name: shop.events, key: order.placed}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp]
"""
)


class SiteOnDisk:
    """Writes a small but whole site: partner ACME, an ERP behind REST with quick retries, a hold, one route."""

    def __init__(
        self, folder: Path, erp: str = "http://127.0.0.1:9", *, amqp: str | None = None, journal: str = "var/hub.db"
    ) -> None:
        self.folder = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every command would compile all modules anew
        self.environ = {**os.environ, "HUB_AMQP_URL": amqp or "", "HUB_JOURNAL": journal}
        broker = "amqp: ${HUB_AMQP_URL}" if amqp else "broker: embedded"
        self.write("config/hub.yaml", f'{broker}\njournal: ${{HUB_JOURNAL}}\nconsole: {{listen: "127.0.0.1:0"}}\n')
        self.write("config/endpoints.yaml", f'erp: {{rest: {{base: "{erp}", timeout: 2s, connect_timeout: 1s}}}}\n')
        self.write(
            "config/policies.yaml",
            "retry:\n  fast: {delays: [100ms, 200ms, 300ms], on: [unreachable, timeout, busy, failed]}\n"
            "holds:\n  credit_hold: {owner: finance-ops, sla: 4h}\n",
        )
        self.write(
            "config/destinations.yaml",
            "erp:\n  rest: {endpoint: erp, call: POST /orders}\n  retry: fast\n"
            "  replies:\n    - {status: 409, body: {/error/code: CREDIT_HOLD}, hold: credit_hold}\n",
        )
        self.write("config/partners/acme.yaml", 'partner: ACME\nids: [{qualifier: "01", id: "043645501"}]\n')
        self.write("routes/acme.yaml", ROUTES)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def drop(self, name: str, body: bytes, folder: str = "var/drop") -> Path:
        """Puts a file into a drop folder by a rename."""
        target = self.folder / folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(name + ".tmp")
        part.write_bytes(body)
        part.rename(target)
        return target

    @asynccontextmanager
    async def running(self, plugins: Plugins | None = None) -> AsyncIterator[RunningHub]:
        """A hub in this process; without `plugins` with those that are installed."""
        plugins = plugins or discover()
        site = SiteFolder(self.folder)
        checked = site.check(plugins, self.environ)
        assert checked.site is not None, [str(finding) for finding in checked.findings]
        self._lay_journal()
        with (self.folder / "hub.log").open("a", buffering=1) as stream:
            hub = RunningHub(
                site, checked.site, plugins, make_logger("info", json=True, stream=stream), SystemClock(), self.environ
            )
            try:
                await asyncio.wait_for(hub.start(), LIMIT)
                yield hub
            finally:
                await hub.stop(5.0)

    def _lay_journal(self) -> None:
        """The schema of a journal in a file is up to date before a hub of this process opens it."""
        if "://" not in (journal := self.environ["HUB_JOURNAL"]):
            lay_journal(self.folder / journal)

    def shell(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """A hub command, as a shell begins it: with the distributions that are installed now."""
        command = [sys.executable, "-m", "hub", *arguments, "--site", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=self.environ)

    def cli(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """A hub command, run to its end by a process of its own that has the hub's modules loaded."""
        from tests.support.hub_forks import forks  # which knows sites

        return forks().command([*arguments, "--site", str(self.folder)], self.environ, timeout)


def order(number: str, *, partner: str = "ACME", price: str = "9.50", quantity: str = "2", **more: Any) -> bytes:
    """An order in canonical JSON."""
    line = {"number": "1", "quantity": quantity, "unit": "EA", "price": price}
    return to_json(Order.model_validate({"number": number, "partner": partner, "lines": [line], **more}))


class HubProcess:
    """A real `hub run` process, or another program that behaves like it."""

    def __init__(self, site: SiteOnDisk, *, module: str = "hub", environ: dict[str, str] | None = None) -> None:
        self.site = site
        self._module = module
        self._environ = {**site.environ, **(environ or {})}
        self._process: Any = None
        self._guard: Guard | None = None
        self.starts = 0
        self.name = "process"
        """How its log files are called: hubs that share a site have names of their own."""

    @property
    def log(self) -> Path:
        return self.site.folder / f"{self.name}-{self.starts}.log"

    def start(self) -> None:
        self._ended()
        self.starts += 1
        self._process = self._begin()

    def _begin(self) -> Any:
        command = [sys.executable, "-m", self._module, "run", "--site", str(self.site.folder), "--log-json"]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environ, start_new_session=True
            )
        self._guard = Guard(process)
        return process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return int(self._process.pid)

    @property
    def console(self) -> str | None:
        for line in self.log.read_text(errors="replace").splitlines() if self.log.exists() else ():
            if '"console"' in line:
                return str(json.loads(line)["url"])
        return None

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of the console's answer; (0, why) when there is none."""
        url = self.console
        if url is None:
            return 0, "not started"
        try:
            with urllib.request.urlopen(url + path, timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait_ready(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.running, self.log.read_text()
            if self.get("/health/ready")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.get('/health/ready')}\n{self.log.read_text()[-3000:]}")

    def wait_end(self, seconds: float = 60.0) -> int:
        """The exit code. A process that doesn't end in time is killed: no test leaves one behind."""
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._ended()
        return code

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def peak_memory(self) -> int:
        """The most memory (bytes, resident) that the process has ever had."""
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the kernel doesn't say")

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is tidied up."""
        if self.running:
            self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self._ended()

    def _ended(self) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_end()
