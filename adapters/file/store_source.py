"""A folder of a store as a source: files are offered where they stand, and put away after they were taken."""

from __future__ import annotations

import asyncio
import uuid
from fnmatch import fnmatchcase
from pathlib import Path

from adapters.file.source import AT_ONCE, SELDOM, SMALL, SOON, FileSourceOptions
from adapters.file.store import Store, Stored
from hub.core.errors import HubError, TransientError
from hub.core.options.duration import seconds
from hub.core.options.name_pattern import facts_of_names
from hub.core.options.pauses import Pauses
from hub.core.plugin import Context
from hub.core.ports import Arrival, Body, BytesBody, FileBody, Take, Taken


class StoreSource:
    """Polls one folder of a store, in one process at a time: stores know no rename that only one can win. A file that
    was taken is moved to `done`; when that fails, or the process dies before it, it is offered again, and recognised by
    its bytes."""

    def __init__(self, name: str, options: FileSourceOptions, store: Store, context: Context) -> None:
        self._name = name
        self._options = options
        self._store = store
        self._log, self._clock = context.log, context.clock
        self._facts = facts_of_names(options.name)
        self._spool = Path(context.spool) / f"store-{name}"
        self._settle, self._poll = seconds(options.settle), seconds(options.poll)
        self._done = options.done or f"{options.folder}/done"
        self._failed = options.failed or f"{options.folder}/failed"
        self._pauses = Pauses(max(self._poll, 0.1), context.clock.monotonic)
        self._seen: dict[str, tuple[str, float]] = {}
        self._taken: dict[tuple[str, str], Taken] = {}

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        await asyncio.to_thread(self._empty_spool)
        while True:
            files = await self._store.in_thread(self._store.files, self._options.folder)
            ready = self._ready([file for file in files if self._wanted(file.name)])
            self._pauses.keep({file.name for file in files})
            free = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for file in ready:
                    if self._pauses.due(file.name):
                        group.create_task(self._offer(file, take, free))
            await self._clock.sleep(self._poll)

    def _empty_spool(self) -> None:
        self._spool.mkdir(parents=True, exist_ok=True)
        for left in self._spool.iterdir():
            left.unlink(missing_ok=True)

    def _wanted(self, name: str) -> bool:
        return fnmatchcase(name, self._options.match) and not any(fnmatchcase(name, p) for p in self._options.ignore)

    def _ready(self, files: list[Stored]) -> list[Stored]:
        now, seen, ready = self._clock.monotonic(), {}, []
        for file in sorted(files, key=lambda file: file.name):
            before = self._seen.get(file.name)
            since = before[1] if before is not None and before[0] == file.version else now
            seen[file.name] = (file.version, since)
            if now - since >= self._settle:
                ready.append(file)
        self._seen = seen
        return ready

    async def _offer(self, file: Stored, take: Take, free: asyncio.Semaphore) -> None:
        """One file. Ends without an error, whatever happens."""
        async with free:
            try:
                key = (file.name, file.version)
                if key not in self._taken:
                    self._taken[key] = await self._fetched(file, take)
                await self._store.in_thread(self._put_away, file, self._taken[key].failed)
                taken = self._taken.pop(key)
                self._pauses.end(file.name)
                await taken.settled()
            except Exception as error:  # noqa: BLE001
                # An error that left this task would cancel the neighbours: this file waits, and the others go on.
                pause = self._pauses.longer(file.name, SOON if isinstance(error, HubError) else SELDOM)
                text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
                self._log.warning("file_not_taken", source=self._name, file=file.name, error=text, again_in=pause)

    async def _fetched(self, file: Stored, take: Take) -> Taken:
        if file.size <= SMALL:
            body: Body = BytesBody(await self._store.in_thread(lambda: b"".join(self._store.pieces(file.path))))
            await self._unchanged(file, body.size)
            return await take(self._arrival(body, file.name))
        spooled = self._spool / uuid.uuid4().hex
        try:
            await self._store.in_thread(self._spooled, file, spooled)
            await self._unchanged(file, spooled.stat().st_size)
            return await take(self._arrival(FileBody(spooled), file.name))
        finally:
            await asyncio.to_thread(spooled.unlink, True)

    def _arrival(self, body: Body, name: str) -> Arrival:
        return Arrival(self._name, body, name, facts=self._facts(name))

    def _spooled(self, file: Stored, to: Path) -> None:
        with to.open("xb") as spooled:
            for piece in self._store.pieces(file.path):
                spooled.write(piece)

    async def _unchanged(self, file: Stored, size: int) -> None:
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
