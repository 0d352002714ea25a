"""How much more work something is with more of it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def growth(work: Callable[[int], object], few: int, many: int) -> float:
    """How many times as long the work takes of `many` as of `few`, each at its quickest. The garbage collector is off:
    its cost depends on all that is in the process."""
    gc.disable()
    try:
        return _quickest(work, many) / _quickest(work, few)
    finally:
        gc.enable()


def _quickest(work: Callable[[int], object], size: int) -> float:
    took = []
    for _ in range(3):
        began = time.thread_time()
        work(size)
        took.append(time.thread_time() - began)
    return min(took)
