"""The folders of one account: `/in`, `/out`, and where what was dropped waits for the intake."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from adapters.inbox.file_names import matches
from adapters.inbox.folder_sync import sync
from adapters.sftp_server.accounts import Account
from adapters.sftp_server.upload import Upload

T = TypeVar("T")

IN, OUT = "in", "out"
LOOK_AGAIN = 16 << 20
"""Bytes that an account may write before its quota is looked at again."""


class Home:
    """The folders of one account. `taken` is told of every file that has been claimed; `ignore` are names that are
    still being written, and are taken when they are renamed."""

    def __init__(
        self,
        account: Account,
        folder: Path,
        work: Path,
        ignore: tuple[str, ...],
        taken: Callable[[str, Path, str], None],
    ) -> None:
        self.account = account
        self.folder = folder
        self.work = work
        self._ignore = ignore
        self._taken = taken
        self._grown = 0
        self.uploads: list[Upload] = []
        """Files that are being dropped, by all sessions of the account."""
        self._names = asyncio.Lock()

    def prepare(self) -> None:
        for path in (self.folder / IN, self.folder / OUT, self.work):
            path.mkdir(parents=True, exist_ok=True)

    async def alone(self, step: Callable[[], Awaitable[T]]) -> T:
        """Runs a step that looks what stands under a name of `/in` and acts on it. No other session of the account
        changes a name meanwhile, also when the session of this step ends: the step goes on to its end."""

        async def run_step() -> T:
            async with self._names:
                return await step()

        return await asyncio.shield(asyncio.ensure_future(run_step()))

    def used(self) -> int:
        """Bytes in the account's folders, and of what is claimed but not yet taken."""
        found = 0
        for folder in (self.folder / IN, self.folder / OUT, self.work):
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        found += entry.stat(follow_symlinks=False).st_size
        return found

    async def full(self, grows: int) -> bool:
        """Whether the quota is used up, when one of its files grows by so many bytes. Looked at now and then."""
        self._grown += grows
        if self._grown < min(LOOK_AGAIN, self.account.options.quota // 4):
            return False
        self._grown = 0
        return await asyncio.to_thread(self.used) + grows > self.account.options.quota

    def waits(self, name: str) -> bool:
        return matches(name, self._ignore)

    def claim(self, path: Path) -> None:
        """Synced and moved out of the partner's reach: from now on the hub answers for it."""
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        target = self.work / f"{path.name}~{uuid.uuid4().hex}"
        path.rename(target)
        sync(self.work)
        self._taken(self.account.name, target, path.name)


def name_of(claimed: Path) -> str:
    """The name under which a claimed file was dropped."""
    return claimed.name.rpartition("~")[0]
