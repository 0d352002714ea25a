"""How much templates may do together before somebody else does the work. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hub.core.options.work import WorkBounds


class RenderingAllowance:
    """What is left of `bounds` for all renderings within `within`. `spent`: one of them wanted more, and was ended for
    that alone."""

    __slots__ = ("left", "spent")

    def __init__(self, bounds: WorkBounds) -> None:
        self.left = bounds
        self.spent = False

    def take(self, steps: int, characters: int) -> None:
        self.left = WorkBounds(max(0, self.left.steps - steps), max(0, self.left.characters - characters))


@contextmanager
def within(allowance: RenderingAllowance | None) -> Iterator[None]:
    """Templates render within the allowance, as far as it is less than what they may do anyway. None: that alone bounds
    them."""
    before = ALLOWANCE.set(allowance)
    try:
        yield
    finally:
        ALLOWANCE.reset(before)


ALLOWANCE: ContextVar[RenderingAllowance | None] = ContextVar("ALLOWANCE", default=None)
