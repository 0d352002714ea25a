"""A private OpenSSH server on the loopback: real keys, certificates and accounts, one folder that partners see."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.guard import Guard
from tests.support.ports import free_ports

MISSING = "OpenSSH's server isn't installed here: run `python -m tests.support.provision openssh`"


def find_sshd() -> Path | None:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found and shutil.which("ssh-keygen") else None


class OpenSsh:
    """One server. `home` is the folder that a login begins in; `key` is let in. Stop and start it as often as needed:
    port and host key stay."""

    def __init__(self, sshd: Path, folder: Path, *, largest_file: int | None = None, extra: str = "") -> None:
        self._sshd = sshd
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.port = free_ports(1)[0]
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.host_key = self.make_key("host_key")
        self.key = self.make_key("client_key")
        self._authorities = folder / "authorities"
        shutil.copy(self.make_key("authority").with_suffix(".pub"), self._authorities)
        self._authorized = folder / "authorized_keys"
        self._authorized.write_text(self.key.with_suffix(".pub").read_text())
        self._largest_file = largest_file
        self._extra = extra
        self.options = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def fingerprint(self) -> str:
        shown = subprocess.run(["ssh-keygen", "-lf", str(self.host_key)], capture_output=True, text=True, check=True)
        return shown.stdout.split()[1]

    @property
    def public_host_key(self) -> str:
        return " ".join(self.host_key.with_suffix(".pub").read_text().split()[:2])

    def make_key(self, name: str, passphrase: str = "", kind: str = "ed25519") -> Path:
        path = self.folder / name
        path.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    def let_in(self, key: Path) -> None:
        with self._authorized.open("a") as file:
            file.write(key.with_suffix(".pub").read_text())

    def certify(self, key: Path) -> Path:
        """A certificate of the authority that the server trusts."""
        command = ["ssh-keygen", "-q", "-s", str(self.folder / "authority"), "-I", "hub", "-n", self.user, str(key)]
        subprocess.run(command, check=True, capture_output=True)
        return key.with_name(f"{key.stem}-cert.pub")

    def start(self) -> None:
        log = self.folder / "sshd.log"
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\nPidFile"
            f" {self.folder}/sshd.pid\nAuthorizedKeysFile {self._authorized}\nTrustedUserCAKeys"
            f" {self._authorities}\nStrictModes no\nSubsystem sftp internal-sftp -d {self.home}"
            f" {self.options}\nPermitRootLogin yes\nMaxStartups 100\nMaxSessions 100\nPasswordAuthentication"
            f" yes\nKbdInteractiveAuthentication no\nUsePAM no\nLogLevel VERBOSE\n{self._extra}"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        limits = ["prlimit", f"--fsize={self._largest_file}"] if self._largest_file is not None else []
        command = [*limits, str(self._sshd), "-D", "-e", "-f", str(config)]
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                preexec_fn=ignore_size,
                start_new_session=True,
            )
        self._guard = Guard(self._process)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.02)
        raise RuntimeError(f"sshd doesn't listen: {log.read_text()}")

    def stop(self) -> None:
        """Ends the server and every session."""
        if self._process is None or self._guard is None:
            return
        children = self._descendants()
        for pid in (self._process.pid, *children):
            with_pid(pid, signal.SIGKILL)
        self._process.wait(20)
        self._guard.release()
        self._process = self._guard = None

    def _descendants(self) -> list[int]:
        assert self._process is not None
        found, waiting = [], [self._process.pid]
        while waiting:
            listed = Path(f"/proc/{waiting[0]}/task/{waiting.pop(0)}/children")
            children = [int(pid) for pid in listed.read_text().split()] if listed.exists() else []
            found += children
            waiting += children
        return found

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text()


def ignore_size() -> None:
    """A file that would be too large is an error of the write, not the end of the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def with_pid(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@contextmanager
def account_with_password() -> Iterator[tuple[str, str, Path]]:
    """An account of this machine, for the time of a test: name, password, home. Only root can make one."""
    name, password = f"hubtest{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    home = Path(f"/tmp/{name}")
    subprocess.run(["useradd", "-m", "-d", str(home), "-s", "/bin/sh", name], check=True, capture_output=True)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}", text=True, check=True, capture_output=True)
        yield name, password, home
    finally:
        subprocess.run(["userdel", "-r", "-f", name], check=False, capture_output=True)
