"""The file of an SQLite journal, looked at before it is opened: what no waiting mends is told at once."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from hub.core.errors import ConfigError

MAGIC = b"SQLite format 3\0"


def refuse_unusable(path: Path) -> None:
    """Raises ConfigError where the path is a folder, another kind of file, or not ours to read and write. A file that
    is not there yet, an empty one, and one on a disk that takes no writes for now are left to SQLite."""
    if path.is_dir():
        raise ConfigError(f"the journal {path} is a folder", hint="journal: names a file, as in var/hub.db")
    if not path.exists():
        return
    read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    if not os.access(path, os.R_OK | (0 if read_only else os.W_OK)):
        raise ConfigError(
            f"the journal {path} belongs to {_owner(path)}, and this user may not read and write it",
            hint="run the hub as its owner, or give the file to this user",
        )
    with path.open("rb") as file:
        begins = file.read(len(MAGIC))
    if begins and begins != MAGIC:
        raise ConfigError(
            f"the journal {path} is no SQLite database",
            hint=(
                "journal: names another file? If this one is damaged, move it away and bring a backup back (hub"
                " restore)"
            ),
        )


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
