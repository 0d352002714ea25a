"""What sources keep on this machine beside the journal, and a backup takes along: files that were promised to a partner
and that the intake has not taken yet, keys by which partners know us."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from hub.configuration.site import Site

KEPT = "kept"
"""The folder of a backup in which they stand, by their path in the site."""


def kept_by(site: Site) -> tuple[str, ...]:
    """Files and folders, relative to the site, of all sources."""
    sources = [source.use for source in site.sources.values() if source.use is not None]
    return tuple(dict.fromkeys(path for use in sources for path in use.plugin.keeps(use.options)))


def take_along(site: Path, paths: Iterable[str], target: Path) -> int:
    """Copies them into a backup; how many files. One that goes meanwhile has been taken, and is in the journal.
    Blocks."""
    return sum(_copied(path, target / path.relative_to(site.resolve())) for path in _files(site.resolve(), paths))


def bring_back(source: Path, site: Path) -> int:
    """Copies them into a site; how many files. What stands there already stays. Blocks."""
    there = [(path, site / path.relative_to(source)) for path in sorted(source.rglob("*")) if path.is_file()]
    return sum(_copied(path, target) for path, target in there if not target.exists())


def _files(site: Path, paths: Iterable[str]) -> Iterator[Path]:
    for name in paths:
        path = (site / name).resolve()
        if not path.is_relative_to(site):
            continue  # another place of this machine has a backup of its own
        found = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
        yield from (each for each in found if each.is_file() and not each.is_symlink())


def _copied(path: Path, target: Path) -> bool:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(f".new-{target.name[:200]}")
    try:
        shutil.copy2(path, new)
    except FileNotFoundError:
        return False
    new.replace(target)
    return True
