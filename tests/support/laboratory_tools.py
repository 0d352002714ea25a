"""Tools of the fault laboratory that a machine may lack."""

from __future__ import annotations

from pathlib import Path


def faketime() -> Path | None:
    """The library that makes clocks jump, where Debian's package faketime is installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
