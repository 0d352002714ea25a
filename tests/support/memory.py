"""How much memory something takes beside what was there."""

from __future__ import annotations

import gc
import resource
import threading
from pathlib import Path

PAGE = resource.getpagesize()
EVERY = 0.01


class Growth:
    """While the block runs: `most` is the most memory (bytes, resident) of this process above what it had at the
    beginning."""

    def __init__(self) -> None:
        self.most = 0
        self._begin = 0
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch)

    def __enter__(self) -> Growth:
        gc.collect()
        self._begin = resident()
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            self.most = max(self.most, resident() - self._begin)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
