"""How much templates may do together before somebody else does the work. Pure."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType

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


class within:  # noqa: N801  (it reads as a function; a generator's context would cost each document twice as much)
    """Templates of its block render within the allowance, as far as it is less than what they may do anyway. None: that
    alone bounds them."""

    __slots__ = ("_allowance", "_before")

    def __init__(self, allowance: RenderingAllowance | None) -> None:
        self._allowance = allowance

    def __enter__(self) -> None:
        self._before = ALLOWANCE.set(self._allowance)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ALLOWANCE.reset(self._before)


ALLOWANCE: ContextVar[RenderingAllowance | None] = ContextVar("ALLOWANCE", default=None)
