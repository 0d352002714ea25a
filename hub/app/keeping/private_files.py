"""Who may read what lies around: the hub's own files are its user's alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.app.site_folder import SiteFolder
from hub.configuration.site import Site
from hub.core.plugin import DestinationPlugin, SourcePlugin

UMASK = 0o077
OTHERS = 0o077
PASS_THROUGH = 0o011
"""What others keep at a folder in which a shared folder stands: they may pass through it, and can't list it."""


@dataclass(frozen=True, slots=True)
class TooOpen:
    """A file or folder of the hub's, and the mode that it should have."""

    path: Path
    mode: int
    wanted: int

    def __str__(self) -> str:
        return f"{self.path} has mode {self.mode:04o}, {self.wanted:04o} is expected"


def make_private() -> None:
    """Whatever this process makes from now on is for its user alone."""
    os.umask(UMASK)


def too_open(folder: SiteFolder, site: Site) -> list[TooOpen]:
    """The hub's own files and folders that others may read or write. Folders that sources watch and destinations write
    to are shared with others: their modes are the site's. What stands in a private folder is private."""
    shared = {folder.resolve(path) for path in shared_folders(site)}
    found = []
    for path in own_paths(folder, site):
        if path in shared or any(path.is_relative_to(one) for one in shared):
            continue
        kept = PASS_THROUGH if any(one.is_relative_to(path) for one in shared) else 0
        try:
            status = path.lstat()
        except OSError:
            continue  # it is gone, or not ours to see
        mode = stat.S_IMODE(status.st_mode)
        wanted = mode & ~(OTHERS & ~(mode & kept))
        if wanted != mode and not stat.S_ISLNK(status.st_mode):
            found.append(TooOpen(path, mode, wanted))
    return found


def repair(folder: SiteFolder, site: Site) -> tuple[list[TooOpen], list[TooOpen]]:
    """What was made private, and what belongs to somebody else and could not be."""
    repaired, left = [], []
    for each in too_open(folder, site):
        try:
            each.path.chmod(each.wanted)
            repaired.append(each)
        except OSError:
            left.append(each)
    return repaired, left


def own_paths(folder: SiteFolder, site: Site) -> Iterator[Path]:
    """var/ and what stands in it, the claims, and a journal in a file."""
    var = folder.resolve("var")
    journal = site.settings.journal
    files = [] if "://" in journal else [Path(f"{folder.resolve(journal)}{end}") for end in ("", "-wal", "-shm")]
    yield from dict.fromkeys(
        (var, *(sorted(var.iterdir()) if var.is_dir() else ()), folder.resolve(site.settings.claims), *files)
    )


def shared_folders(site: Site) -> Iterator[str]:
    for use in site.uses():
        if isinstance(use.plugin, SourcePlugin | DestinationPlugin):
            yield from use.plugin.shared_folders(use.options)
