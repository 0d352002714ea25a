"""The files that the intake has taken, and that could not be put away yet."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from hub.core.ports import Taken


class OfferedFiles:
    """A file that was taken is not offered again but only put away, unless it has changed. Lives in memory: after a
    restart such a file is offered again, and recognized by its bytes."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[Hashable, Taken]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._taken

    def find(self, path: str, version: Hashable) -> Taken | None:
        """What the intake said of this version; another version of the file is forgotten."""
        known = self._taken.get(path)
        if known is not None and known[0] == version:
            return known[1]
        self.forget(path)
        return None

    def note(self, path: str, version: Hashable, taken: Taken) -> None:
        self._taken[path] = (version, taken)

    def forget(self, path: str) -> None:
        self._taken.pop(path, None)

    def keep(self, paths: Collection[str]) -> None:
        """Forgets all other files."""
        for path in self._taken.keys() - set(paths):
            del self._taken[path]
