"""A private PostgreSQL cluster: made in a temporary folder, on a free port of the loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.guard import Guard
from tests.support.ports import free_ports

START_LIMIT = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
}
"""Without fsync: the tests kill hubs, not this server."""


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; the newest when Debian has several; None without PostgreSQL."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: float(path.parts[-3]) if path.parts[-3].replace(".", "").isdecimal() else 0.0,
    )
    if found and (found[-1].parent / "initdb").exists():
        return found[-1].parent
    initdb, postgres = shutil.which("initdb"), shutil.which("postgres")
    return Path(initdb).parent if initdb and postgres else None


class PostgresServer:
    """PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that user isn't there."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._base = Path(tempfile.mkdtemp(prefix="hub-postgres-"))
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        self._user: dict[str, int | list[int]] = {}
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(self._base, owner.pw_uid, owner.pw_gid)
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when it takes connections. Raises RuntimeError with what it said when it doesn't."""
        data = self._base / "data"
        if not data.exists():
            arguments = ["-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
            made = self._run("initdb", *arguments)
            if made.returncode:
                raise RuntimeError(f"initdb failed:\n{made.stdout.decode(errors='replace')}")
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        log = (self._base / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(data), f"--port={self.port}", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._base, env=self._environment(),
                start_new_session=True, **self._user,  # type: ignore[call-overload]
            )  # fmt: skip
        self._guard = Guard(self._process)
        end = time.monotonic() + START_LIMIT
        while self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the private PostgreSQL didn't start:\n{(self._base / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, but in good order; `start` brings it back with its data."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Every connection breaks; the data is recovered by the next `start`."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """Ends it and removes the data. Twice is harmless."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._base, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # type: ignore[no-any-return, call-overload]
            [str(self._binaries / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self._base,
            env=self._environment(), check=False, **self._user,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PATH": f"{self._binaries}:/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self._base), "TZ": "UTC"}


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
