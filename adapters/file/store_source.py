"""A folder of a store as a source: files are offered where they stand, and put away after they were taken."""

from __future__ import annotations

import uuid
from pathlib import Path

from adapters.file.source import FileSourceOptions
from adapters.file.store import FileStore, Stored
from adapters.inbox.due_files import SELDOM, SOON, DueFiles, Failure
from adapters.inbox.file_names import NamePatterns
from adapters.inbox.offered_files import OfferedFiles
from adapters.inbox.settling import SettlingFiles
from adapters.inbox.spool import Spool
from hub.core.context import Context
from hub.core.errors import HubError, TransientError
from hub.core.options.duration import seconds
from hub.core.options.name_pattern import facts_of_names
from hub.core.ports import Arrival, Take, Taken


class StoreSource:
    """Polls one folder of a store, in one process at a time: stores know no rename that only one can win. A file that
    was taken is moved to `done`; when that fails, or the process dies before it, it is offered again, and recognised by
    its bytes."""

    def __init__(self, name: str, options: FileSourceOptions, store: FileStore, context: Context) -> None:
        self._name = name
        self._folder = options.folder
        self._patterns = NamePatterns((options.match,), options.ignore)
        self._store = store
        self._clock = context.clock
        self._facts = facts_of_names(options.name)
        self._spool = Spool(context.spool / f"store-{name}")
        self._poll = seconds(options.poll)
        self._done = options.done or f"{options.folder}/done"
        self._failed = options.failed or f"{options.folder}/failed"
        self._settling = SettlingFiles(seconds(options.settle), context.clock.monotonic)
        self._waiting = DueFiles(name, max(self._poll, 0.1), context.clock, context.log)
        self._offered = OfferedFiles()

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        await self._spool.empty()
        while True:
            await self._round(take)
            await self._clock.sleep(self._poll)

    async def _round(self, take: Take) -> None:
        """Offers what is due. Memories of files that are gone end here."""
        files = await self._store.in_thread(self._store.files, self._folder)
        names = {file.name for file in files}
        for memory in (self._waiting, self._settling, self._offered):
            memory.keep(names)
        wanted = sorted((file for file in files if self._patterns.wants(file.name)), key=lambda file: file.name)
        ready = [file for file in wanted if self._settling.has_settled(file.name, file.version)]
        await self._waiting.offer(ready, lambda file: self._work_on(file, take), judge)

    async def _work_on(self, file: Stored, take: Take) -> None:
        taken = self._offered.find(file.name, file.version)
        if taken is None:
            taken = await self._fetch(file, take)
            self._offered.note(file.name, file.version, taken)
        await self._store.in_thread(self._put_away, file, taken.failed)
        self._offered.forget(file.name)
        self._waiting.end_pauses(file.name)
        await taken.settled()

    async def _fetch(self, file: Stored, take: Take) -> Taken:
        store = self._store
        async with self._spool.fetch(
            file.size,
            lambda: store.in_thread(lambda: b"".join(store.pieces(file.path))),
            lambda to: store.in_thread(self._download, file, to),
        ) as body:
            await self._check_unchanged(file, body.size)
            return await take(Arrival(self._name, body, file.name, facts=self._facts(file.name)))

    def _download(self, file: Stored, to: Path) -> None:
        with to.open("xb") as spooled:
            for piece in self._store.pieces(file.path):
                spooled.write(piece)

    async def _check_unchanged(self, file: Stored, size: int) -> None:
        now = await self._store.in_thread(self._store.look, file.path)
        if size != file.size or now is None or now.version != file.version:
            raise TransientError(f"{file.name} was changed while it was read; it will be offered again", "busy")

    def _put_away(self, file: Stored, failed: bool) -> None:
        """Into a name of its own: what was done before under the same name stays."""
        folder = self._failed if failed else self._done
        target = self._store.path(folder, file.name)
        if self._store.look(target) is not None:
            target = f"{target}~{uuid.uuid4().hex[:8]}"
        self._store.move(file.path, target)


def judge(file: Stored, error: Exception) -> Failure:
    return Failure(SOON if isinstance(error, HubError) else SELDOM)
