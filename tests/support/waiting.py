"""Waiting for something outside of this process: nothing there can be awaited."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 120.0

T = TypeVar("T")


def wait_for(check: Callable[[], T], what: str, pause: float = 0.05) -> T:
    """What `check` gives once it is true. Fails with `what` when that takes longer than SECONDS."""
    deadline = time.monotonic() + SECONDS
    while not (found := check()):
        assert time.monotonic() < deadline, what
        time.sleep(pause)
    return found
