"""The one place of the runtime where every error is caught: what a plug-in breaks ends one message, never the hub, and never in
silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from hub.core.errors import DecodeError
from hub.core.ports import Reading

T = TypeVar("T")

TOO_MUCH_MEMORY = "it needs more memory than it may have (containment.memory in config/hub.yaml)"


class Boundary:
    """No error of its block passes it: `with Boundary() as boundary: ...` goes on after the block, and `boundary.error` is the
    error that ended it, or None. A cancellation goes through."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False

    @property
    def caught(self) -> Exception:
        """The error, where the block returns unless one ended it."""
        assert self.error is not None  # noqa: S101
        return self.error


async def outcome_of(step: Callable[[], Awaitable[T]]) -> T | Exception:
    """The step's result, or the error that it ended with. A cancellation goes through."""
    try:
        return await step()
    except Exception as error:  # noqa: BLE001
        return error


def result_of(step: Callable[[], T]) -> T | Exception:
    """The same for a step that doesn't wait."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001
        return error


def items_of(items: Iterator[T]) -> Iterator[T | Exception]:
    """The items, and the error that ended them, if one did."""
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001
            yield error
            return
        yield item


def guarded(read: Callable[[], Iterator[Reading]]) -> Iterator[Reading]:
    """Readers promise to raise nothing but DecodeError. Whatever one raises becomes a reading with an error; what it has given before
    stays."""
    begun = result_of(read)
    for item in items_of(begun) if not isinstance(begun, Exception) else (begun,):
        if isinstance(item, DecodeError):
            yield Reading((), error=item)
        elif isinstance(item, MemoryError):
            yield Reading((), error=DecodeError(TOO_MUCH_MEMORY))
        elif isinstance(item, Exception):
            yield Reading((), error=DecodeError(f"the reader failed: {type(item).__name__}: {item}"))
        else:
            yield item
