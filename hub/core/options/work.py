"""How much a template of the site may do for one document. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkBounds:
    """`steps`: turns of loops, calls, and items that a filter looks at. `characters`: of the output, and of every text
    made on the way to it. The defaults leave 200 steps and 6,400 characters for each of 10,000 lines."""

    steps: int = 2_000_000
    characters: int = 64_000_000


DEFAULT_BOUNDS = WorkBounds()

IN_PROCESS = WorkBounds(steps=50_000, characters=2_000_000)
"""What templates may do for one arrival or copy in the process of the hub: 5 to 60 ms. Beyond it a worker begins again,
with all that the site allows."""
