"""A file that a partner is dropping."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True, eq=False, weakref_slot=True)
class Upload:
    """A file that is being dropped."""

    path: Path
    handle: int
    size: int = 0
    broken: bool = False

    @property
    def replaced(self) -> bool:
        """Whether another file stands under its name by now, or none."""
        try:
            return self.path.lstat().st_ino != os.fstat(self.handle).st_ino
        except FileNotFoundError:
            return True

    def write(self, data: bytes, offset: int) -> int:
        """All of it, or an OSError: a disk that is nearly full takes a part and reports no error."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self.handle, rest, offset)
            rest, offset = rest[written:], offset + written
        return len(data)
