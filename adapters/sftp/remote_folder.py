"""A folder of an SFTP server, as a source works on it: what is there, what is claimed, where it is put away.
Blocking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.inbox.file_names import NamePatterns, with_mark
from adapters.sftp.destination import joined, marked
from adapters.sftp.session import Declined, RemoteFile

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection

WORK = ".hub-work-"
"""The folder of claimed files begins so; behind it stands whose claims they are, so that no hub touches another's."""

MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class FolderLook:
    """What one look has shown. `claimed`: what stands in our work folder; `waiting`: what may be claimed once it has
    settled;
    `others`: work folders of other hubs."""

    claimed: tuple[RemoteFile, ...]
    waiting: tuple[RemoteFile, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """Where things are. `marker`: a file is there for us only when the marker is."""

    folder: str
    work: str
    done: str | None
    failed: str
    patterns: NamePatterns
    marker: str | None

    def look(self, connection: Connection) -> FolderLook:
        entries = connection.entries(self.folder)
        names = {entry.name for entry in entries}
        folders = connection.folders(self.folder)
        own = self.work.rpartition("/")[2]
        claimed = connection.entries(self.work) if own in folders else []
        others = tuple(name for name in folders if name.startswith(WORK) and name != own)
        return FolderLook(tuple(claimed), tuple(e for e in entries if self.wants(e.name, names)), others)

    def wants(self, name: str, names: Iterable[str]) -> bool:
        marked_so = self.marker is None or marked(self.marker, name) in names
        return marked_so and self.patterns.wants(name)

    def prepare(self, connection: Connection, claims: bool) -> None:
        """Makes the folders that are needed."""
        folders = [folder for folder in (self.work if claims else None, self.done, self.failed) if folder is not None]
        for folder in folders:
            connection.make_folder(folder)

    def claim(self, connection: Connection, entry: RemoteFile) -> str:
        """One rename: of two hubs only one succeeds, and the other finds nothing. Gives the path of the claimed
        file."""
        path = joined(self.folder, entry.name)
        target = self._moved(connection, path, self.work, entry.name)
        self._unmark(connection, entry.name)
        return target

    def put_away(self, connection: Connection, path: str, name: str, failed: bool) -> None:
        """Into `done` or `failed`, under another name where one stands there; removed, where nothing is kept."""
        folder = self.failed if failed else self.done
        if folder is None:
            connection.remove(path)
        else:
            self._moved(connection, path, folder, name)
        self._unmark(connection, name)

    def _unmark(self, connection: Connection, name: str) -> None:
        if self.marker is not None:
            connection.remove(joined(self.folder, marked(self.marker, name)))

    @staticmethod
    def _moved(connection: Connection, path: str, folder: str, name: str) -> str:
        """Renames into a folder where nothing may be replaced: `name`, or `name~2`, `name~3`, ..."""
        taken: set[str] | None = None
        for number in range(1, MOST_NAMES):
            marked_name = name if number == 1 else with_mark(name, number)
            if taken is not None and marked_name in taken:
                continue
            try:
                connection.rename(path, joined(folder, marked_name))
            except Declined:
                if connection.entry(path) is None:
                    raise
                taken = {entry.name for entry in connection.entries(folder)}
                if marked_name not in taken:
                    raise
                continue
            return joined(folder, marked_name)
        raise Declined(f"no free name for {name} in {folder}", "failure")
