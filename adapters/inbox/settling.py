"""Whether a file is still being written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable


class SettlingFiles:
    """A file has settled once it has not changed for `least` seconds. `clock` gives seconds that never go back."""

    def __init__(self, least: float, clock: Callable[[], float]) -> None:
        self._least = least
        self._clock = clock
        self._since: dict[str, tuple[Hashable, float]] = {}

    def has_settled(self, name: str, version: Hashable) -> bool:
        """`version` is another one after each change."""
        now = self._clock()
        before = self._since.get(name)
        since = before[1] if before is not None and before[0] == version else now
        self._since[name] = (version, since)
        return now - since >= self._least

    def keep(self, names: Collection[str]) -> None:
        """Forgets all other names."""
        for name in self._since.keys() - set(names):
            del self._since[name]
