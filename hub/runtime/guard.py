"""The one place of the runtime where every error is caught: what a plug-in breaks ends one message, never the hub, and never in
silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


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
