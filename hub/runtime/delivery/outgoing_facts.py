"""The facts that name what is sent."""

from __future__ import annotations

from typing import Any

from hub.runtime.copy import RouteCopy, facts_in


class OutgoingFacts(dict[str, Any]):
    """A copy's facts, and over them those of the bytes (packed); parsed only when an adapter asks for one."""

    def __init__(self, copy: RouteCopy, written: str | None = None) -> None:
        super().__init__()
        self._copy: RouteCopy | None = copy
        self._written = written

    def _load(self) -> None:
        if self._copy is not None:
            copy, self._copy = self._copy, None
            self.update(copy.facts())
            if self._written is not None:
                self.update(facts_in(self._written))

    def get(self, name: str, default: Any = None) -> Any:
        self._load()
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._load()
        return super().__getitem__(name)
