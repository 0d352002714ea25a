"""Counts what a template does while it renders, and ends it at a bound. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

from jinja2.runtime import LoopContext
from jinja2.utils import Namespace

from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.documents.base import Part
from hub.mapping.allowance import RenderingAllowance

WIDEST = 10_000
"""The greatest width to which a text is filled, and the greatest step of an indent."""

BITS = 4096
"""Of a whole number."""

DIGITS = 4096
"""Before or after the point of a decimal number. It may have few digits of its own (1E+300000) and cost a lot as a
whole number."""

_LISTS = (list, tuple, set, frozenset)


class TooMuchWork(Exception):
    """No subclass of what Jinja's filters catch."""


class Meter:
    """The count of one rendering. Each method raises TooMuchWork at the bound."""

    __slots__ = ("_allowance", "_bounds", "_characters", "_known", "_most", "_steps")

    def __init__(self, bounds: WorkBounds, allowance: RenderingAllowance | None = None) -> None:
        """`allowance`: what is left for this rendering and others."""
        self._bounds, self._allowance = bounds, allowance
        most = bounds if allowance is None else allowance.left
        self._most = WorkBounds(min(bounds.steps, most.steps), min(bounds.characters, most.characters))
        self._steps, self._characters = self._most.steps, self._most.characters
        self._known: dict[tuple[int, str], tuple[Part, Any]] = {}

    def close(self) -> None:
        """The rendering has ended."""
        if self._allowance is not None:
            self._allowance.take(self._most.steps - self._steps, self._most.characters - self._characters)
            few_steps = self._steps < 0 and self._most.steps < self._bounds.steps
            self._allowance.spent |= few_steps or (
                self._characters < 0 and self._most.characters < self._bounds.characters
            )

    def step(self, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise TooMuchWork(
                f"more than {self._bounds.steps} steps (turns of loops, calls, items of filters); it is ended. If the"
                " document is in order, raise `templates: {steps: ...}` in config/hub.yaml"
            )

    def text(self, length: int) -> None:
        self._characters -= length
        if self._characters < 0:
            raise TooMuchWork(
                f"more than {self._bounds.characters} characters of output and of texts on the way to it; it is ended."
                " If the document is in order, raise `templates: {characters: ...}` in config/hub.yaml"
            )

    def made(self, value: Any) -> Any:
        """A value that the template has made. What it consists of is counted, but parts of documents are only named by
        it."""
        kind = type(value)
        if issubclass(kind, str):
            self.text(len(value))
        elif issubclass(kind, (*_LISTS, Mapping, Namespace)):
            self._walk(value, whole=False)
        elif isinstance(value, (int, Decimal)):
            self.number(value)
        elif isinstance(value, Iterator) and not isinstance(value, LoopContext):
            return self.counted(value)
        return value

    def read(self, value: Any) -> Any:
        """A value that is looked at as a whole: compared, sorted, written out."""
        kind = type(value)
        if issubclass(kind, str):
            self.text(len(value))
        elif issubclass(kind, (*_LISTS, Mapping, Namespace, Part)):
            self._walk(value, whole=True)
        else:
            self.number(value)
        return value

    def number(self, value: Any) -> Any:
        """A value that is calculated with, where it is a number."""
        if isinstance(value, int) and value.bit_length() > BITS:
            raise TooMuchWork(f"a whole number of more than {BITS} bits; it is ended")
        if isinstance(value, Decimal) and abs(value.adjusted()) > DIGITS:
            raise TooMuchWork(f"a number of more than {DIGITS} digits; it is ended")
        return value

    def looked_at(self, value: Any) -> None:
        """A value whose items are looked at one by one, but not what they consist of."""
        if isinstance(value, str):
            self.text(len(value))
        elif isinstance(value, (*_LISTS, Mapping, range)):
            self.step(len(value))

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.step()
            yield item

    def property(self, part: Part, name: str) -> Any:
        """A property of a part: parts don't change, so each is computed once in a rendering."""
        known = self._known.get((id(part), name))
        if known is None:
            self.step()
            known = self._known[id(part), name] = (part, getattr(part, name))
        return known[1]

    def _walk(self, value: Any, *, whole: bool) -> None:
        waiting = [value]
        while waiting:
            one = waiting.pop()
            kind = type(one)
            if issubclass(kind, str):
                self.text(len(one))
            elif issubclass(kind, _LISTS):
                self.step(len(one) + 1)
                waiting.extend(one)
            elif issubclass(kind, Mapping):
                self.step(len(one) + 1)
                waiting.extend(one.keys())
                waiting.extend(one.values())
            elif kind is Namespace:
                waiting.append(object.__getattribute__(one, "_Namespace__attrs"))
            elif whole and issubclass(kind, Part):
                waiting.append(one.__dict__)


_IDLE = Meter(DEFAULT_BOUNDS)
METER: ContextVar[Meter] = ContextVar("METER", default=_IDLE)
"""That of the rendering under way. Compiling has one too: what is constant is computed then."""
