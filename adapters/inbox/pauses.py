"""When a file that could not be worked on may be tried again."""

from __future__ import annotations

from collections.abc import Callable, Collection


class Pauses:
    """A pause of its own for each name, doubled by every failure: a file that always fails holds no other up, and is
    never tried in a hot loop. Lives in memory. `clock` gives seconds that never go back."""

    def __init__(self, first: float, clock: Callable[[], float]) -> None:
        self._first = max(first, 0.01)
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}

    def due(self, name: str) -> bool:
        return name not in self._pauses or self._clock() >= self._pauses[name][0]

    def longer(self, name: str, longest: float) -> float:
        """Begins the next pause, and says how long it is."""
        before = self._pauses[name][1] if name in self._pauses else self._first / 2
        pause = max(self._first, min(before * 2, longest))
        self._pauses[name] = (self._clock() + pause, pause)
        return pause

    def end(self, name: str) -> None:
        self._pauses.pop(name, None)

    def keep(self, names: Collection[str]) -> None:
        """Forgets all other names."""
        for name in self._pauses.keys() - set(names):
            del self._pauses[name]
