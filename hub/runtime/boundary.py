"""The one place of the runtime where every error is caught: what a plug-in breaks ends one message, never the hub, and
never in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from hub.core.errors import DecodeError
from hub.core.ports import Reading

T = TypeVar("T")

TOO_MUCH_MEMORY = "it needs more memory than it may have (containment.memory in config/hub.yaml)"

Errors = tuple[type[Exception], ...]


class Boundary:
    """No error of its block goes further, but for the kinds that `but` names and for a cancellation. Code after the
    block reads
    `error`: what ended it, or None.

        with Boundary() as boundary:
            written = writer.write(document, context)
        if boundary.error is not None:
            ...
    """

    __slots__ = ("_but", "error")

    def __init__(self, *, but: Errors = ()) -> None:
        self._but = but
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or isinstance(error, self._but):
            return False
        self.error = error
        return True

    @property
    def caught(self) -> Exception:
        """The error, after a block that returns unless one ended it."""
        assert self.error is not None  # noqa: S101
        return self.error


class Logged(Boundary):
    """A boundary that logs the error as a warning: for what is tried again later, or can be missed."""

    __slots__ = ("_event", "_log", "_names")

    def __init__(self, log: Any, event: str, *, but: Errors = (), **names: str) -> None:
        super().__init__(but=but)
        self._log, self._event, self._names = log, event, names

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        ended = super().__exit__(kind, error, at)
        if self.error is not None:
            self._log.warning(self._event, **self._names, error=str(error) or type(error).__name__)
        return ended


def items_of(read: Callable[[], Iterator[T]]) -> Iterator[T | Exception]:
    """The items, and the error that ended them, if one did."""
    try:
        yield from read()
    except Exception as error:  # noqa: BLE001
        yield error


def guarded(read: Callable[[], Iterator[Reading]]) -> Iterator[Reading]:
    """Readers promise to raise nothing but DecodeError. Whatever one raises becomes a reading with an error; what it
    has given before stays."""
    for item in items_of(read):
        if isinstance(item, DecodeError):
            yield Reading((), error=item)
        elif isinstance(item, MemoryError):
            yield Reading((), error=DecodeError(TOO_MUCH_MEMORY))
        elif isinstance(item, Exception):
            yield Reading((), error=DecodeError(f"the reader failed: {type(item).__name__}: {item}"))
        else:
            yield item
