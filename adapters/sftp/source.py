"""A folder of an SFTP server as a source: files are claimed by a rename, fetched, offered, and put away."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from adapters.inbox.due_files import SOON, DueFiles, Failure
from adapters.inbox.file_names import NamePatterns, without_mark
from adapters.inbox.offered_files import OfferedFiles
from adapters.inbox.settling import SettlingFiles
from adapters.inbox.spool import Spool
from adapters.sftp.destination import joined
from adapters.sftp.endpoint import SftpEndpoint
from adapters.sftp.progress import TransferProgress
from adapters.sftp.remote_folder import WORK, FolderLook, RemoteFolder
from adapters.sftp.session import Declined, RemoteFile
from hub.core.clock import read_utc
from hub.core.context import Context
from hub.core.errors import TransientError
from hub.core.options.duration import Duration, seconds
from hub.core.options.name_pattern import FactsOfNames, facts_of_names
from hub.core.options.window import Window, WindowOptions
from hub.core.plugin import Options
from hub.core.ports import Arrival, Memory, Take, Taken

SELDOM = 300.0
"""The longest pause (seconds) before a file is tried again that the server declined."""

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
        description=(
            "Take a file only when this one stands beside it: `{name}.done`, `{stem}_go`. It is removed with the claim."
        ),
    )
    order: Literal["name", "oldest", "newest", "smallest"] = Field("name", description="Which of several comes first.")
    settle: Duration = Field(
        "10s",
        description=(
            "A file is taken once its size and time have not changed for so long; `0s` where files are renamed in, or"
            " marked."
        ),
    )
    poll: Duration = Field("30s", description="How often to look; varied by a tenth.")
    during: WindowOptions | None = Field(None, description="Look only in these hours; without it always.")
    claim: Literal["rename", "none"] = Field(
        "rename",
        description=(
            "`rename`: a file is claimed by moving it into a folder of ours. `none`, where the server allows no rename:"
            " only the lease keeps two processes apart, and no other hub may poll the folder."
        ),
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
class Candidate:
    """A file that the source may work on: one that it has claimed, or one that stands in the folder."""

    entry: RemoteFile
    path: str
    claimed: bool

    @property
    def name(self) -> str:
        return self.entry.name


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
        self._spool = Spool(context.spool / f"sftp-{name}")
        self._poll = seconds(options.poll)
        self._window = Window(options.during) if options.during else None
        self._settling = SettlingFiles(seconds(options.settle), context.clock.monotonic)
        self._waiting = DueFiles(name, max(self._poll, 0.1), context.clock, context.log)
        self._offered = OfferedFiles()
        self._left: dict[str, list[int]] = {}
        self._others: tuple[str, ...] = ()

    @property
    def sole(self) -> bool:
        return True

    async def run(self, take: Take) -> None:
        folder = await self._remote_folder()
        await self._spool.empty()
        await self._endpoint.use(lambda connection: folder.prepare(connection, self._options.claim == "rename"))
        if self._options.after == "leave":
            self._left = json.loads(await self._memory.get(TAKEN_NAMES) or "{}")
        while True:
            closed = self._window.opens_in(read_utc(self._clock)) if self._window else 0.0
            if closed:
                await self._clock.sleep(min(closed, 60.0))
                continue
            await self._round(folder, take)
            await self._clock.sleep(self._poll * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311

    async def _remote_folder(self) -> RemoteFolder:
        options, folder = self._options, self._options.folder
        whose = await self._memory.first(CLAIMS_OF, uuid.uuid4().hex[:8])
        match = (options.match,) if isinstance(options.match, str) else options.match
        return RemoteFolder(
            folder=folder,
            work=joined(folder, WORK + whose),
            done=(options.done or joined(folder, "done")) if options.after == "move" else None,
            failed=options.failed or joined(folder, "failed"),
            patterns=NamePatterns(match, options.ignore),
            marker=options.marker,
        )

    async def _round(self, folder: RemoteFolder, take: Take) -> None:
        """One look. Raises TransientError when the folder can't be looked at; what is wrong with one file holds only it
        up."""
        found = await self._endpoint.use(folder.look)
        self._tell_of_others(found)
        claimed = [Candidate(entry, joined(folder.work, entry.name), True) for entry in found.claimed]
        waiting = [Candidate(entry, joined(folder.folder, entry.name), False) for entry in found.waiting]
        self._settling.keep({file.name for file in waiting})
        self._waiting.keep({file.name for file in (*claimed, *waiting)})
        self._offered.keep({file.path for file in (*claimed, *waiting)})
        await self._forget_left(found)
        ready = [file for file in waiting if self._is_ready(file.entry)]
        files = [*self._ordered(claimed), *self._ordered(ready)]
        await self._waiting.offer(
            files,
            lambda file: self._work_on(folder, file, take),
            lambda file, error: self._judge(folder, file, error),
            self._options.at_once,
        )

    def _tell_of_others(self, found: FolderLook) -> None:
        if found.others != self._others:
            self._others = found.others
            for other in found.others:
                self._log.info("work_of_another_hub", source=self._name, folder=other)

    def _is_ready(self, entry: RemoteFile) -> bool:
        """Whether the file has settled, and was not taken before."""
        settled = self._settling.has_settled(entry.name, entry.version)
        return settled and self._left.get(entry.name) != list(entry.version)

    def _ordered(self, files: list[Candidate]) -> list[Candidate]:
        keys: dict[str, Any] = {
            "name": lambda file: file.name,
            "oldest": lambda file: (file.entry.changed, file.name),
            "newest": lambda file: (-file.entry.changed, file.name),
            "smallest": lambda file: (file.entry.size, file.name),
        }
        return sorted(files, key=keys[self._options.order])

    def _judge(self, folder: RemoteFolder, file: Candidate, error: Exception) -> Failure | None:
        declined = error if isinstance(error, Declined) else None
        if declined and declined.reason == "missing" and not file.claimed:
            return None  # another hub was faster
        taken = file.path in self._offered or joined(folder.work, file.name) in self._offered
        return Failure(SELDOM if declined else SOON, "file_not_put_away" if taken else "file_not_taken")

    async def _work_on(self, folder: RemoteFolder, file: Candidate, take: Take) -> None:
        use, entry, path = self._endpoint.use, file.entry, file.path
        name = without_mark(entry.name) if file.claimed else entry.name
        if not file.claimed and self._options.claim == "rename":
            path = await use(lambda connection: folder.claim(connection, entry))
            self._offered.forget(path)
        taken = self._offered.find(path, entry.version)
        if taken is None:
            taken = await self._offer(path, entry, name, take, again=file.claimed)
            self._offered.note(path, entry.version, taken)
        now = await use(lambda connection: connection.entry(path))
        if now is None:
            raise TransientError(f"{path} has gone while it was in work", "failed")
        if now.version != entry.version:
            self._offered.forget(path)
            raise TransientError(f"{path} was changed while it was in work; it will be offered again", "busy")
        if self._options.after == "leave" and not taken.failed:
            await self._remember(entry)
        else:
            await use(lambda connection: folder.put_away(connection, path, name, taken.failed))
        self._offered.forget(path)
        self._waiting.end_pauses(entry.name)
        await taken.settled()

    async def _offer(self, path: str, entry: RemoteFile, name: str, take: Take, *, again: bool) -> Taken:
        """Offers what the file holds; `again`: it was claimed before."""
        if entry.size > self._options.largest:
            text = f"{entry.size} bytes, and `largest` is {self._options.largest}: not read"
            self._log.error("file_too_large", source=self._name, file=name, error=text)
            return Taken(0, 1, text)
        use, progress = self._endpoint.use, TransferProgress(self._log, "sftp_download", name, entry.size, self._clock)
        async with self._spool.fetch(
            entry.size,
            lambda: use(lambda connection: b"".join(connection.pieces(path, entry.size))),
            lambda to: use(lambda connection: connection.download(path, entry.size, to, progress)),
        ) as body:
            return await take(Arrival(self._name, body, name, facts=self._facts(name), offered_again=again))

    async def _remember(self, entry: RemoteFile) -> None:
        self._left[entry.name] = list(entry.version)
        await self._memory.put(TAKEN_NAMES, json.dumps(self._left))

    async def _forget_left(self, found: FolderLook) -> None:
        names = {entry.name for entry in found.waiting}
        if gone := self._left.keys() - names:
            for name in gone:
                del self._left[name]
            await self._memory.put(TAKEN_NAMES, json.dumps(self._left))
