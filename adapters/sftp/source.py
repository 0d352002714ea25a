"""A folder of an SFTP server as a source: files are claimed by a rename, fetched, offered, and put away."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from adapters.sftp.destination import joined
from adapters.sftp.endpoint import SftpEndpoint
from adapters.sftp.inbox import WORK, Found, Inbox, without_mark
from adapters.sftp.progress import Progress
from adapters.sftp.session import Declined, Entry
from hub.core.clock import read_utc
from hub.core.errors import HubError, TransientError
from hub.core.options.duration import Duration, seconds
from hub.core.options.name_pattern import FactsOfNames, facts_of_names
from hub.core.options.pauses import Pauses
from hub.core.options.window import Window, WindowOptions
from hub.core.plugin import Context, Options
from hub.core.ports import Arrival, Body, BytesBody, FileBody, Memory, Take, Taken

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection

SMALL = 1 << 18
"""Files up to this size (bytes) are held in memory."""

SOON, SELDOM = 5.0, 300.0
"""The longest pauses (seconds) before a file is tried again: while the journal or the broker is away; for all else."""

JITTER = 0.1
"""Part of the poll interval by which it varies, so that many folders are not asked in the same moment."""

TAKEN_NAMES = "taken"
CLAIMS_OF = "claims-of"

After = Literal["move", "delete", "leave"]


class SftpSourceOptions(Options):
    """A folder in which a partner leaves files."""

    endpoint: str = Field(description="The name of an `sftp` endpoint.")
    folder: str = Field(description="The folder on the server: `/outbound`, or relative to where the login begins.")
    match: str | tuple[str, ...] = Field("*", description="Which files to take: a glob over the name, or several.")
    name: FactsOfNames = None
    ignore: tuple[str, ...] = Field(
        ("*.tmp", "*.part", "*.filepart", ".*"),
        description="Names that are still being written, or are nothing for us.",
    )
    marker: str | None = Field(
        None,
        description="Take a file only when this one stands beside it: `{name}.done`, `{stem}_go`. It is removed with the claim.",
    )
    order: Literal["name", "oldest", "newest", "smallest"] = Field("name", description="Which of several comes first.")
    settle: Duration = Field(
        "10s",
        description="A file is taken once its size and time have not changed for so long; `0s` where files are renamed in, or marked.",
    )
    poll: Duration = Field("30s", description="How often to look; varied by a tenth.")
    during: WindowOptions | None = Field(None, description="Look only in these hours; without it always.")
    claim: Literal["rename", "none"] = Field(
        "rename",
        description="`rename`: a file is claimed by moving it into a folder of ours. `none`, where the server allows no rename: only the lease keeps two processes apart, and no other hub may poll the folder.",
    )
    after: After = Field(
        "move", description="What becomes of a file that was taken: move it to `done`, delete it, or leave it."
    )
    done: str | None = Field(None, description="Where taken files go; without it `done` inside the folder.")
    failed: str | None = Field(
        None, description="Where files go of which nothing could be read; without it `failed` inside the folder."
    )
    largest: int = Field(
        2_000_000_000, ge=1, description="Bytes that a file may have; a larger one goes to `failed`, unread."
    )
    at_once: int = Field(4, ge=1, le=32, description="Files in work at once; the endpoint's connections limit it too.")

    @field_validator("marker")
    @classmethod
    def marks_a_name(cls, value: str | None) -> str | None:
        if value is not None and (
            ("{name}" not in value and "{stem}" not in value) or value == "{name}" or "/" in value
        ):
            raise ValueError("marker must be a file name that holds {name} or {stem}: {name}.done")
        return value

    @model_validator(mode="after")
    def fits(self) -> SftpSourceOptions:
        if self.after == "leave" and self.claim != "none":
            raise ValueError("after: leave needs claim: none, since a claimed file has been moved")
        if self.after != "move" and self.done is not None:
            raise ValueError("`done` belongs to after: move")
        return self


@dataclass(frozen=True, slots=True)
class Offered:
    """A file that the intake has taken, in the version that was offered."""

    version: tuple[int, int]
    taken: Taken


class SftpSource:
    """Polls one folder, in one process at a time.

    A file is claimed by a rename into a work folder of this hub's own, so that two hubs never take the same one,
    whatever their databases are. What a crash left there is offered again first; its bytes give the same message ids,
    so that nothing is done twice. A file is put away after the intake has taken it; when that fails it is only put away
    again.
    """

    def __init__(self, name: str, options: SftpSourceOptions, endpoint: SftpEndpoint, context: Context) -> None:
        self._name = name
        self._options = options
        self._endpoint = endpoint
        self._log, self._clock = context.log, context.clock
        self._facts = facts_of_names(options.name)
        self._memory: Memory = context.memory(name)
        self._spool = Path(context.spool) / f"sftp-{name}"
        self._settle = seconds(options.settle)
        self._poll = seconds(options.poll)
        self._window = Window(options.during) if options.during else None
        self._pauses = Pauses(max(self._poll, 0.1), context.clock.monotonic)
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        self._offered: dict[str, Offered] = {}
        self._left: dict[str, list[int]] = {}
        self._others: tuple[str, ...] = ()

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        inbox = await self._inbox()
        await asyncio.to_thread(empty, self._spool)
        await self._endpoint.use(lambda connection: inbox.prepare(connection, self._options.claim == "rename"))
        if self._options.after == "leave":
            self._left = json.loads(await self._memory.get(TAKEN_NAMES) or "{}")
        while True:
            closed = self._window.opens_in(read_utc(self._clock)) if self._window else 0.0
            if closed:
                await self._clock.sleep(min(closed, 60.0))
                continue
            await self._round(inbox, take)
            await self._clock.sleep(self._poll * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311

    async def _inbox(self) -> Inbox:
        options, folder = self._options, self._options.folder
        whose = await self._memory.first(CLAIMS_OF, uuid.uuid4().hex[:8])
        done = (options.done or joined(folder, "done")) if options.after == "move" else None
        match = (options.match,) if isinstance(options.match, str) else options.match
        return Inbox(
            folder,
            joined(folder, WORK + whose),
            done,
            options.failed or joined(folder, "failed"),
            match,
            options.ignore,
            options.marker,
        )

    async def _round(self, inbox: Inbox, take: Take) -> None:
        """One look. Raises TransientError when the folder can't be looked at; what is wrong with one file holds only it
        up."""
        found = await self._endpoint.use(inbox.look)
        self._tell_of_others(found)
        ready = self._ready(found)
        names = {entry.name for entry in (*found.claimed, *found.waiting)}
        self._pauses.keep(names)
        paths = {joined(inbox.work, entry.name) for entry in found.claimed}
        paths |= {joined(inbox.folder, entry.name) for entry in found.waiting}
        self._offered = {path: offered for path, offered in self._offered.items() if path in paths}
        await self._forget_left(found)
        free = asyncio.Semaphore(self._options.at_once)
        async with asyncio.TaskGroup() as group:
            for entries, claimed in ((found.claimed, True), (ready, False)):
                for entry in self._ordered(entries):
                    if self._pauses.due(entry.name):
                        group.create_task(self._offer(inbox, entry, claimed, take, free))

    def _tell_of_others(self, found: Found) -> None:
        if found.others != self._others:
            self._others = found.others
            for other in found.others:
                self._log.info("work_of_another_hub", source=self._name, folder=other)

    def _ready(self, found: Found) -> list[Entry]:
        """What has settled, and was not taken before."""
        now, seen, ready = self._clock.monotonic(), {}, []
        for entry in found.waiting:
            before = self._seen.get(entry.name)
            since = before[1] if before is not None and before[0] == entry.version else now
            seen[entry.name] = (entry.version, since)
            if now - since >= self._settle and self._left.get(entry.name) != list(entry.version):
                ready.append(entry)
        self._seen = seen
        return ready

    def _ordered(self, entries: list[Entry] | tuple[Entry, ...]) -> list[Entry]:
        keys: dict[str, Any] = {
            "name": lambda entry: entry.name,
            "oldest": lambda entry: (entry.changed, entry.name),
            "newest": lambda entry: (-entry.changed, entry.name),
            "smallest": lambda entry: (entry.size, entry.name),
        }
        return sorted(entries, key=keys[self._options.order])

    async def _offer(self, inbox: Inbox, entry: Entry, claimed: bool, take: Take, free: asyncio.Semaphore) -> None:
        """One file. Ends without an error, whatever happens."""
        async with free:
            try:
                await self._work_on(inbox, entry, claimed, take)
            except Exception as error:  # noqa: BLE001
                # An error that left this task would cancel the neighbours: this file waits, and the others go on.
                if isinstance(error, Declined) and error.reason == "missing" and not claimed:
                    return  # another hub was faster
                pause = self._pauses.longer(entry.name, SELDOM if isinstance(error, Declined) else SOON)
                places = {joined(inbox.work, entry.name), joined(inbox.folder, entry.name)}
                event = "file_not_put_away" if places & self._offered.keys() else "file_not_taken"
                text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
                self._log.warning(event, source=self._name, file=entry.name, error=text, again_in=pause)

    async def _work_on(self, inbox: Inbox, entry: Entry, claimed: bool, take: Take) -> None:
        use, name = self._endpoint.use, without_mark(entry.name) if claimed else entry.name
        path = joined(inbox.work if claimed else inbox.folder, entry.name)
        if not claimed and self._options.claim == "rename":
            path = await use(lambda connection: inbox.claim(connection, entry))
            self._offered.pop(path, None)
        offered = self._offered.get(path)
        if offered is None or offered.version != entry.version:
            self._offered.pop(path, None)
            if entry.size > self._options.largest:
                text = f"{entry.size} bytes, and `largest` is {self._options.largest}: not read"
                self._log.error("file_too_large", source=self._name, file=name, error=text)
                offered = Offered(entry.version, Taken(0, 1, text))
            else:
                offered = Offered(entry.version, await self._fetched(path, entry, name, take, again=claimed))
            self._offered[path] = offered
        now = await use(lambda connection: connection.entry(path))
        if now is None:
            raise TransientError(f"{path} has gone while it was in work", "failed")
        if now.version != offered.version:
            self._offered.pop(path, None)
            raise TransientError(f"{path} was changed while it was in work; it will be offered again", "busy")
        if self._options.after == "leave" and not offered.taken.failed:
            await self._remember(entry)
        else:
            await use(lambda connection: inbox.put_away(connection, path, name, offered.taken.failed))
        self._offered.pop(path, None)
        self._pauses.end(entry.name)
        await offered.taken.settled()

    async def _fetched(self, path: str, entry: Entry, name: str, take: Take, *, again: bool) -> Taken:
        """Offers what the file holds; `again`: it was claimed before. The partner's name never becomes a path of this
        machine."""
        progress = Progress(self._log, "sftp_download", name, entry.size, self._clock)
        if entry.size <= SMALL:
            body: Body = BytesBody(await self._endpoint.use(lambda c: b"".join(c.pieces(path, entry.size))))
            return await take(self._arrival(body, name, again))
        spooled = self._spool / uuid.uuid4().hex
        try:
            await self._endpoint.use(lambda c: download(c, path, entry.size, spooled, progress))
            return await take(self._arrival(FileBody(spooled), name, again))
        finally:
            await asyncio.to_thread(spooled.unlink, True)

    def _arrival(self, body: Body, name: str, again: bool) -> Arrival:
        return Arrival(self._name, body, name, facts=self._facts(name), offered_again=again)

    async def _remember(self, entry: Entry) -> None:
        self._left[entry.name] = list(entry.version)
        await self._memory.put(TAKEN_NAMES, json.dumps(self._left))

    async def _forget_left(self, found: Found) -> None:
        names = {entry.name for entry in found.waiting}
        if gone := self._left.keys() - names:
            for name in gone:
                del self._left[name]
            await self._memory.put(TAKEN_NAMES, json.dumps(self._left))


def download(connection: Connection, path: str, size: int, to: Path, progress: Progress) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    connection.download(path, size, to, progress)


def empty(folder: Path) -> None:
    """What a crash left of half fetched files."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
