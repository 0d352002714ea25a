"""What a partner sees of the hub's disk: `/in` to drop into, `/out` to fetch from, and nothing else."""

from __future__ import annotations

import asyncio
import inspect
import os
import posixpath
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

import asyncssh
from asyncssh.sftp import SFTPAttrs, SFTPName, SFTPVFSAttrs

from adapters.sftp_server.door import Doorkeeper
from adapters.sftp_server.home import IN, OUT, Home
from adapters.sftp_server.upload import Upload
from hub.core.clock import Clock
from hub.core.log import Log

T = TypeVar("T")

LONGEST_NAME = 180
"""Bytes of a file name; behind it stands a mark of ours when the file is taken."""

MOST_OPEN = 50
"""Files and listings that one session may have open."""

UNSENT = 2 << 20
"""Bytes of answers that may wait for one connection before more is read for it."""


ASKED = "_process_close"
"""What asyncssh calls the step in which it serves a partner's request to close a file."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Download:
    """A file that is being fetched."""

    handle: int


class Jail(asyncssh.SFTPServer):
    """The SFTP operations of one connection. No links, no folders of one's own, no attributes, nothing outside."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: Home, log: Log, clock: Clock) -> None:
        super().__init__(channel, chroot=os.fsencode(home.folder))
        owner: Any = channel.get_connection().get_owner()
        self._keeper: Doorkeeper = owner
        self._keeper.channels.add(channel)
        self._home = home
        self._log, self._clock = log, clock
        self._open: WeakSet[Any] = WeakSet()

    def _note_activity(self) -> None:
        """Whatever names a path, reads or writes is something that a session asks for."""
        self._keeper.seen = self._clock.monotonic()

    # --- where

    def map_path(self, path: bytes) -> bytes:
        self._note_activity()
        return super().map_path(path)

    def _place(self, path: bytes) -> tuple[str, Path]:
        """The folder (`in`, `out`) and the local path of a file. Raises for anything else."""
        self._note_activity()
        try:
            text = path.decode("utf-8")
        except UnicodeDecodeError:
            raise asyncssh.SFTPPermissionDenied("names are UTF-8 here") from None
        parts = posixpath.normpath(posixpath.join("/", text)).strip("/").split("/")
        if len(parts) != 2 or parts[0] not in (IN, OUT):
            raise asyncssh.SFTPPermissionDenied(f"files are dropped into /{IN} and fetched from /{OUT}")
        name = parts[1]
        if not name.isprintable() or "\\" in name or len(name.encode()) > LONGEST_NAME:
            raise asyncssh.SFTPFailure("this name can't be used: at most 180 bytes, all of them printable")
        return parts[0], self._home.folder / parts[0] / name

    # --- files

    def _check_room(self) -> None:
        """Each file and listing that is open takes a handle, of which the process has not many."""
        if len(self._open) >= MOST_OPEN or not self._home.account.may_open():
            raise asyncssh.SFTPFailure("too many files and listings are open: close some")

    def _held(self, opened: T) -> T:
        """Counts it until asyncssh lets go of it, which it does when it is closed."""
        self._open.add(opened)
        self._home.account.open.add(opened)
        return opened

    def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        self._check_room()
        return self._held(self._entries(path))

    async def _entries(self, path: bytes) -> AsyncIterator[SFTPName]:
        async for name in super().scandir(path):
            await self._answers_taken()
            yield name

    async def _answers_taken(self) -> None:
        """Back-pressure: waits until the client has taken what it asked for before. asyncssh serves the requests of a
        session one after the other, so nothing more is read for it meanwhile."""
        pause = 0.005
        while self._keeper.unsent > UNSENT:
            await self._clock.sleep(pause)
            pause = min(0.25, pause * 2)

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        folder, local = self._place(path)
        self._check_room()
        if not pflags & asyncssh.FXF_WRITE:
            if folder != OUT:
                raise asyncssh.SFTPPermissionDenied(
                    f"files are fetched from /{OUT}; what is dropped can't be read back"
                )
            handle = await asyncio.to_thread(opened, local, os.O_RDONLY | os.O_NOFOLLOW)
            return self._held(Download(handle))
        if folder != IN:
            raise asyncssh.SFTPPermissionDenied(f"files are dropped into /{IN}")
        account = self._home.account
        if not account.may_drop():
            raise asyncssh.SFTPFailure(f"more than {account.options.per_minute} files within a minute: try later")
        if await asyncio.to_thread(self._home.used) >= account.options.quota:
            raise asyncssh.SFTPFailure(f"the quota of {account.options.quota} bytes is used up")
        return self._held(await self._home.alone(lambda: self._begun(local, pflags)))

    async def _begun(self, local: Path, pflags: int) -> Upload:
        """A new file under that name."""
        if pflags & asyncssh.FXF_APPEND or (local.exists() and not pflags & asyncssh.FXF_TRUNC):
            raise asyncssh.SFTPPermissionDenied("a file is dropped whole: nothing can be added to one")
        with suppress(FileNotFoundError):
            await asyncio.to_thread(local.unlink)  # whoever still writes to it writes to nobody's file
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        upload = Upload(local, await asyncio.to_thread(opened, local, flags))
        self._home.uploads.append(upload)
        return upload

    async def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> object:
        raise asyncssh.SFTPOpUnsupported("version 3 of the protocol is spoken here")

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        self._note_activity()
        if not isinstance(file_obj, Download):
            raise asyncssh.SFTPPermissionDenied("a file that is being dropped can't be read")
        await self._answers_taken()
        return await asyncio.to_thread(os.pread, file_obj.handle, min(size, 1 << 20), offset)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._note_activity()
        if not isinstance(file_obj, Upload):
            raise asyncssh.SFTPPermissionDenied("this file is open for reading")
        options = self._home.account.options
        if offset + len(data) > options.largest:
            file_obj.broken = True
            raise asyncssh.SFTPFailure(f"a file may have {options.largest} bytes")
        grows = max(0, offset + len(data) - file_obj.size)
        file_obj.size += grows
        if await self._home.full(grows):
            file_obj.broken = True
            raise asyncssh.SFTPFailure(f"the quota of {options.quota} bytes is used up")
        try:
            return await asyncio.to_thread(file_obj.write, data, offset)
        except OSError as error:
            file_obj.broken = True
            raise asyncssh.SFTPFailure(f"it can't be written: {error.strerror}") from error

    async def close(self, file_obj: object) -> None:
        """A file that was written whole is taken now; one whose session broke off stays where it is, untaken. asyncssh
        closes what a session leaves open, also when only its channel has ended: that the partner asked for it is told
        by the caller alone."""
        frame = inspect.currentframe()
        asked = frame is not None and frame.f_back is not None and frame.f_back.f_code.co_name == ASKED
        del frame  # it holds itself, and with it the file
        if isinstance(file_obj, Download):
            os.close(file_obj.handle)
            return
        if not isinstance(file_obj, Upload):
            return
        synced = file_obj.broken or not asked or await self._synced(file_obj)
        await self._home.alone(lambda: self._ended(file_obj, asked))
        if not synced:
            raise asyncssh.SFTPFailure("it could not be kept: try again")

    async def _synced(self, upload: Upload) -> bool:
        """On the disk, before the turn of `alone` that others wait for: it may take long."""
        try:
            await asyncio.to_thread(os.fsync, upload.handle)
        except OSError as error:
            upload.broken = True
            self._log.error("file_not_taken", account=self._home.account.name, file=upload.path.name, error=str(error))
        return not upload.broken

    async def _ended(self, upload: Upload, asked: bool) -> None:
        """Takes the file that was written, and no other that stands under its name by now."""
        self._home.uploads.remove(upload)
        replaced = upload.replaced
        os.close(upload.handle)
        name = upload.path.name
        if self._gone() or upload.broken or replaced or not asked:
            self._log.warning("upload_broken_off", account=self._home.account.name, file=name)
            if upload.broken and not replaced:
                await asyncio.to_thread(upload.path.unlink, True)
            if replaced and asked:
                raise asyncssh.SFTPFailure(f"{name} was replaced or removed while it was written")
            return
        if not self._home.waits(name):
            await self._take(upload.path)

    def _gone(self) -> bool:
        """The connection has ended: what closes now was not closed by the partner."""
        return bool(self.channel.is_closing() or self.connection.is_closed())

    async def _take(self, path: Path) -> None:
        try:
            await asyncio.to_thread(self._home.claim, path)
        except OSError as error:
            self._log.error("file_not_taken", account=self._home.account.name, file=path.name, error=str(error))
            raise asyncssh.SFTPFailure("it could not be kept: try again") from error

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """How a partner says that a file is whole: `x.edi.tmp` becomes `x.edi`."""
        before, old = self._place(oldpath)
        after, new = self._place(newpath)
        if before != IN or after != IN:
            raise asyncssh.SFTPPermissionDenied(f"files are renamed within /{IN} only")
        await self._home.alone(lambda: self._renamed(old, new))

    async def _renamed(self, old: Path, new: Path) -> None:
        if any(upload.path == old and not upload.replaced for upload in self._home.uploads):
            raise asyncssh.SFTPFailure(f"{old.name} is still being written")
        if new.exists():
            raise asyncssh.SFTPFailure(f"{new.name} stands there already")
        try:
            await asyncio.to_thread(old.rename, new)
        except FileNotFoundError:
            raise asyncssh.SFTPNoSuchFile(f"there is no {old.name}") from None
        if not self._home.waits(new.name):
            await self._take(new)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self.rename(oldpath, newpath)

    async def remove(self, path: bytes) -> None:
        _, local = self._place(path)
        await self._home.alone(lambda: self._removed(local))

    async def _removed(self, local: Path) -> None:
        try:
            await asyncio.to_thread(local.unlink)
        except FileNotFoundError:
            raise asyncssh.SFTPNoSuchFile(f"there is no {local.name}") from None

    # --- what isn't there

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("no folders can be made here")

    def rmdir(self, path: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no folders can be removed here")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("there are no links here")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("there are no links here")

    def readlink(self, path: bytes) -> bytes:
        raise asyncssh.SFTPPermissionDenied("there are no links here")

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Clients set times and permissions after an upload; that is taken note of, and nothing changes."""

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """As `setstat`."""

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """As `setstat`."""

    def fstat(self, file_obj: object) -> SFTPAttrs | os.stat_result:
        if isinstance(file_obj, Download | Upload):
            return os.fstat(file_obj.handle)
        raise asyncssh.SFTPFailure("no such handle")

    def stat(self, path: bytes) -> os.stat_result:
        return self.lstat(path)

    def lstat(self, path: bytes) -> os.stat_result:
        found = Path(os.fsdecode(self.map_path(path))).lstat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise asyncssh.SFTPNoSuchFile("no such file")
        return found

    def statvfs(self, path: bytes) -> SFTPVFSAttrs:
        raise asyncssh.SFTPOpUnsupported("not told")

    async def fsync(self, file_obj: object) -> None:
        if isinstance(file_obj, Upload):
            await asyncio.to_thread(os.fsync, file_obj.handle)


def opened(path: Path, flags: int) -> int:
    try:
        handle = os.open(path, flags, 0o600)
    except FileNotFoundError:
        raise asyncssh.SFTPNoSuchFile(f"there is no {path.name}") from None
    except OSError as error:
        raise asyncssh.SFTPFailure(f"{path.name}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise asyncssh.SFTPFailure(f"{path.name} is no file")
    return handle
