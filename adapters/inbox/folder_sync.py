"""A folder's entries, written to disk."""

from __future__ import annotations

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """What was renamed or removed in the folder stays so when the power fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
