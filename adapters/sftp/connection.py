"""One SFTP connection. paramiko stays in this file; every call blocks, and belongs into a thread."""

from __future__ import annotations

import errno
import hashlib
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import paramiko

from adapters.sftp.session import UNMEASURED, Declined, HostKeyChanged, Login, NotLetIn, Progress, Reason, RemoteFile
from hub.core.errors import TransientError

PIECE = 32768
"""Bytes of one read or write request, as every server takes it."""

AHEAD = 128
"""Read requests that are under way at once: 4 MB of memory, and enough for a fast line over a long distance."""


def nothing() -> None:
    """What most callers do before a file is closed."""


class Connection:
    """Logged in, with pinned host key. Raises TransientError for what may work later, and nothing else. One thread at a
    time."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._transport = opened(login)
        try:
            with self._translated("open the SFTP session"):
                client = paramiko.SFTPClient.from_transport(self._transport)
                assert client is not None  # noqa: S101  (paramiko: a transport that is authenticated gives one)
                self._sftp = client
                channel = client.get_channel()
                assert channel is not None  # noqa: S101
                channel.settimeout(login.timeout)
        except BaseException:
            self._transport.close()
            raise

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    def close(self) -> None:
        """May be called from any thread: whoever is at work fails at once."""
        self._transport.close()

    def entries(self, folder: str) -> list[RemoteFile]:
        """The regular files of a folder: no links, no folders, no devices, and no name that isn't a plain one."""
        with self._translated(f"list {folder}"):
            return [
                RemoteFile(found.filename, size_of(found), int(found.st_mtime or 0))
                for found in self._sftp.listdir_attr(folder)
                if found.st_mode is not None and stat.S_ISREG(found.st_mode) and is_plain(found.filename)
            ]

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder."""
        with self._translated(f"list {folder}"):
            return [
                found.filename
                for found in self._sftp.listdir_attr(folder)
                if found.st_mode is not None and stat.S_ISDIR(found.st_mode) and is_plain(found.filename)
            ]

    def entry(self, path: str) -> RemoteFile | None:
        """The file at a path; None where there is none."""
        try:
            with self._translated(f"look at {path}"):
                found = self._sftp.lstat(path)
        except Declined as error:
            if error.reason == "missing":
                return None
            raise
        if found.st_mode is not None and not stat.S_ISREG(found.st_mode):
            raise Declined(f"{path} is no regular file", "failure")
        return RemoteFile(PurePosixPath(path).name, size_of(found), int(found.st_mtime or 0))

    def make_folder(self, path: str) -> None:
        """Where there is none yet."""
        with self._translated(f"look at {path}"), suppress(FileNotFoundError):
            if stat.S_ISDIR(self._sftp.stat(path).st_mode or 0):
                return
        with self._translated(f"make the folder {path}"):
            self._sftp.mkdir(path)

    def rename(self, path: str, target: str) -> None:
        """Replaces nothing: Declined where the target stands there already, as the protocol (version 3) demands it."""
        with self._translated(f"rename {path} to {target}"):
            self._sftp.rename(path, target)

    def replace(self, path: str, target: str) -> None:
        """A rename that replaces what stands there: in one step where the server can, else after removing it."""
        try:
            with self._translated(f"rename {path} to {target}"):
                self._sftp.posix_rename(path, target)
        except Declined as error:
            if error.reason != "failure":
                raise
            self.remove(target)
            self.rename(path, target)

    def remove(self, path: str) -> None:
        """Harmless where there is none."""
        with self._translated(f"remove {path}"), suppress(FileNotFoundError):
            self._sftp.remove(path)

    def pieces(self, path: str, size: int) -> Iterator[bytes]:
        """The first `size` bytes of a file, in memory that doesn't grow with it. Raises Declined for a file that is
        shorter, and for one of which the server doesn't say how large it is."""
        if size == UNMEASURED:
            raise Declined(f"the server doesn't say how large {path} is", "failure")
        with self._translated(f"read {path}"), self._sftp.open(path, "rb", 0) as file:
            for start in range(0, size, PIECE * AHEAD):
                end = min(start + PIECE * AHEAD, size)
                wanted = [(at, min(PIECE, end - at)) for at in range(start, end, PIECE)]
                for (at, length), piece in zip(wanted, file.readv(wanted), strict=True):
                    if len(piece) != length:
                        raise Declined(f"{path} ended at byte {at + len(piece)}, {size} were announced", "failure")
                    yield piece

    def download(self, path: str, size: int, to: Path, progress: Progress) -> None:
        """Into a new file of this machine, synced when this returns."""
        done = 0
        with to.open("xb") as file:
            for piece in self.pieces(path, size):
                file.write(piece)
                done += len(piece)
                progress(done)

    def digest(self, path: str, size: int) -> str:
        """SHA-256 of the file."""
        found = hashlib.sha256()
        for piece in self.pieces(path, size):
            found.update(piece)
        return found.hexdigest()

    def holds(self, path: str, body: bytes) -> bool:
        """Whether the file is exactly this, whatever its size is said to be."""
        with self._translated(f"read {path}"), self._sftp.open(path, "rb", len(body) + 1) as file:
            return bool(file.read(len(body) + 1) == body)

    def begins(self, path: str, body: bytes) -> bool:
        """Whether the body begins with what the file holds."""
        with self._translated(f"read {path}"), self._sftp.open(path, "rb", len(body)) as file:
            return body.startswith(file.read(len(body)))

    def upload(
        self, body: bytes, path: str, progress: Progress, *, ahead: bool = True, closing: Callable[[], None] = nothing
    ) -> None:
        """Writes a whole file, in place of one that stands there. When this returns the server has said that it is
        closed. `ahead`: the answers to the writes are not looked at, which is faster; the caller compares the size.
        `closing` is called before the last piece is written: until then the server can't have the whole file, also when
        it closes what a lost connection leaves open. What `closing` raises is raised, and the connection with the open
        file is dropped."""
        with self._translated(f"write {path}"), self._sftp.open(path, "wb") as file:
            file.set_pipelined(ahead)
            starts = range(0, max(1, len(body)), PIECE * 8)
            for start in starts:
                if start == starts[-1]:
                    self._tell(closing)
                file.write(body[start : start + PIECE * 8])
                progress(min(start + PIECE * 8, len(body)))
            file.flush()
            self._close(file)

    def _tell(self, closing: Callable[[], None]) -> None:
        try:
            closing()
        except BaseException:
            self.close()
            raise

    def _close(self, file: Any) -> None:
        """Closes a file as paramiko does, which would hide that the server refuses or is gone. Raises OSError,
        EOFError."""
        client: Any = self._sftp
        client._request(paramiko.sftp.CMD_CLOSE, file.handle)
        file._closed = True

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """paramiko's errors as ours. FileNotFoundError comes through to who suppresses it within, else as Declined."""
        place = self._login.place
        try:
            yield
        except TransientError:
            raise
        except TimeoutError as error:
            self.close()
            raise TransientError(f"{place}: {what}: no answer for {self._login.timeout:g}s", "timeout") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            text = " ".join(str(getattr(error, "strerror", None) or error).split())[:300]
            number = error.errno if isinstance(error, OSError) else None
            answered = isinstance(error, OSError) and number in (None, errno.ENOENT, errno.EACCES)
            if answered and self.alive:
                reason: Reason = {errno.ENOENT: "missing", errno.EACCES: "denied"}.get(number or 0, "failure")  # type: ignore[assignment]
                raise Declined(f"{place}: can't {what}: {text or 'the server gives no reason'}", reason) from error
            self.close()
            raise TransientError(
                f"{place}: {what}: the connection is gone: {text or type(error).__name__}", "unreachable"
            ) from error


def size_of(found: paramiko.SFTPAttributes) -> int:
    return UNMEASURED if found.st_size is None else found.st_size


def is_plain(name: str) -> bool:
    """Whether a name that a server gave is one file name: nothing that leads elsewhere, and nothing that can't be
    shown."""
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name and name.isprintable()


def opened(login: Login) -> paramiko.Transport:
    """Connected, the host key compared, logged in."""
    place = login.place
    try:
        raw = socket.create_connection((login.host, login.port), login.connect_timeout)
    except OSError as error:
        kind: Literal["timeout", "unreachable"] = "timeout" if isinstance(error, TimeoutError) else "unreachable"
        raise TransientError(f"{place}: can't connect: {error.strerror or error}", kind) from error
    transport = paramiko.Transport(raw)
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = login.connect_timeout
        transport.use_compression(login.compress)
        started(transport, login)
        compare_host_key(transport, login)
        let_in(transport, login)
        transport.set_keepalive(login.keepalive)
    except BaseException:
        transport.close()
        raise
    return transport


def started(transport: paramiko.Transport, login: Login) -> None:
    pinned_types = tuple(key.split(" ")[0] for key in login.host_keys if " " in key)
    if len(pinned_types) == len(login.host_keys):
        known = transport.get_security_options().key_types
        wanted = tuple(kind for kind in known if any(same_family(kind, pinned) for pinned in pinned_types))
        if wanted:
            transport.get_security_options().key_types = wanted
    try:
        transport.start_client(timeout=login.connect_timeout)
        if not transport.initial_kex_done:
            raise TransientError(f"{login.place}: no SSH handshake within {login.connect_timeout:g}s", "timeout")
    except (paramiko.SSHException, OSError, EOFError) as error:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        raise TransientError(f"{login.place}: no SSH connection: {text}", "unreachable") from error


def same_family(offered: str, pinned: str) -> bool:
    """`rsa-sha2-512` signs with a key of type `ssh-rsa`."""
    return offered == pinned or (pinned == "ssh-rsa" and offered.startswith("rsa-sha2-"))


def compare_host_key(transport: paramiko.Transport, login: Login) -> None:
    shown = transport.get_remote_server_key()
    forms = (shown.fingerprint, f"{shown.get_name()} {shown.get_base64()}")
    if not any(
        " ".join(pinned.split()[:2]).rstrip("=") in (form.rstrip("=") for form in forms) for pinned in login.host_keys
    ):
        raise HostKeyChanged(
            f"{login.place}: the host key has changed: pinned is {' or '.join(login.host_keys)}, the server shows"
            f" {shown.get_name()} {shown.fingerprint}. Nothing was sent. Ask the partner whether they changed it: if so"
            " put the new one into host_key, else somebody stands between"
        )


def let_in(transport: paramiko.Transport, login: Login) -> None:
    tried = []
    try:
        if login.key is not None:
            tried.append("key with certificate" if login.certificate else "key")
            transport.auth_publickey(login.user, private_key(login.key, login.passphrase, login.certificate))
        if not transport.is_authenticated() and login.password is not None:
            tried.append("password")
            transport.auth_password(login.user, login.password)
    except paramiko.AuthenticationException as error:
        if not transport.is_active():  # the line broke: that says nothing of our credentials
            raise TransientError(f"{login.place}: the login was cut off", "unreachable") from error
        allowed = getattr(error, "allowed_types", None)
        wants = f"; it wants {', '.join(allowed)}" if allowed else ""
        raise NotLetIn(f"{login.place}: the server doesn't accept our {' and '.join(tried)}{wants}") from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        raise TransientError(f"{login.place}: the login was cut off: {text}", "unreachable") from error
    if not transport.is_authenticated():
        raise NotLetIn(f"{login.place}: the server wants more than our {' and '.join(tried)}")


def private_key(path: Path, passphrase: str | None, certificate: Path | None) -> paramiko.PKey:
    """Raises NotLetIn, which names the file and never the passphrase."""
    try:
        key = paramiko.PKey.from_path(path, passphrase.encode() if passphrase else None)  # type: ignore[arg-type]
        if certificate is not None:
            key.load_certificate(str(certificate))
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise NotLetIn(f"the key {path} can't be used: {why_not(error, passphrase)}") from error
    return key


def why_not(error: Exception, passphrase: str | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, TypeError):
        return (
            "it has no passphrase, and one is given"
            if passphrase
            else "it needs a passphrase: give it as passphrase: ${NAME}"
        )
    return (
        "the passphrase is wrong, or it is no private key"
        if passphrase
        else "it is no private key that OpenSSH would take"
    )
