"""spyne can be imported on Python 3.12 and later: its own copy of six has an importer without `find_spec`, so that
`spyne.util.six.moves` isn't found. That of the six that is installed takes its place."""

from __future__ import annotations

import sys
from importlib import import_module

import six

MOVED = ("collections_abc", "http_cookies", "urllib", "urllib.error", "urllib.parse", "urllib.request")


def replace_moves() -> None:
    """Before the first import of spyne."""
    sys.modules.setdefault("spyne.util.six.moves", six.moves)
    for name in MOVED:
        sys.modules.setdefault(f"spyne.util.six.moves.{name}", import_module(f"six.moves.{name}"))
