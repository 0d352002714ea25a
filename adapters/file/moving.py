"""Moving a file into a folder where nothing may be replaced, on the same file system or another one."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from adapters.inbox.file_names import show_name, with_mark
from adapters.inbox.folder_sync import sync

NEW, TEMPORARY = ".new-", ".tmp"
"""How the names of files begin and end that are not whole yet."""

ABANDONED = 3600.0
"""Seconds after which a file that is not whole belongs to nobody any more."""

NOREPLACE = 1
HERE = -100
NOT_KNOWN = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""What a kernel or a file system answers that has no rename without replacing."""

_libc = ctypes.CDLL(None, use_errno=True)


def move(path: Path, folder: Path, name: str) -> Path:
    """Moves a file into a folder under this name, or `name~2`, `name~3`, ... where that is taken. A file that stands
    there is never replaced, and a crash leaves the file at one of the two places, whole. Raises OSError when it
    stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100_000):
        target = folder / (name if number == 1 else with_mark(name, number))
        try:
            place(path, target)
        except FileExistsError:
            continue
        sync(folder)
        return target
    raise OSError(errno.EEXIST, f"no free name for {show_name(name)} in {folder}")


def place(path: Path, target: Path) -> None:
    """One rename; between two file systems a copy that is whole and on disk before it gets the name. Raises
    FileExistsError."""
    try:
        rename(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_over(path, target)
        path.unlink()
        sync(path.parent)


def rename(path: Path, target: Path) -> None:
    """A rename that replaces nothing: FileExistsError. Where the system has no such rename the name is reserved first,
    by an empty file that only one can create."""
    if not hasattr(_libc, "renameat2"):
        reserve_and_rename(path, target)
        return
    if _libc.renameat2(HERE, os.fsencode(path), HERE, os.fsencode(target), NOREPLACE) == 0:
        return
    number = ctypes.get_errno()
    if number not in NOT_KNOWN:
        raise OSError(number, os.strerror(number), str(path), None, str(target))
    reserve_and_rename(path, target)


def reserve_and_rename(path: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        path.replace(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def sweep(folder: Path, now: float) -> None:
    """Removes what processes that were killed have left half-written in a folder, an hour ago or more. `now`: seconds
    since the epoch."""
    with suppress(OSError):
        for left in folder.glob(f"{NEW}*{TEMPORARY}"):
            if now - left.stat().st_mtime >= ABANDONED:
                left.unlink()


def copy_over(path: Path, target: Path) -> None:
    handle, name = mkstemp(dir=target.parent, prefix=NEW, suffix=TEMPORARY)
    copy = Path(name)
    try:
        with os.fdopen(handle, "wb") as to, path.open("rb") as origin:
            shutil.copyfileobj(origin, to, 1 << 20)
            to.flush()
            os.fsync(to.fileno())
        shutil.copystat(path, copy)
        rename(copy, target)
    finally:
        copy.unlink(missing_ok=True)
