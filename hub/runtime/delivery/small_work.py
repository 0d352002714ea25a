"""Work that this process does itself as long as it stays small."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from hub.core.options.work import IN_PROCESS
from hub.mapping.allowance import RenderingAllowance, within
from hub.runtime.boundary import Boundary

if TYPE_CHECKING:
    from hub.runtime.contained.recipe import Recipe

T = TypeVar("T")


def allowance_before(fallback: Recipe | None) -> RenderingAllowance | None:
    """What templates may do here before a worker, by the recipe `fallback`, does the work; None: no worker can."""
    return RenderingAllowance(IN_PROCESS) if fallback is not None else None


async def here_or_contained(
    fallback: Recipe | None, here: Callable[[], Awaitable[T]], contained: Callable[[Recipe], Awaitable[T]]
) -> T:
    """The result of `here`; where its templates wanted more than they may do in this process, that of a worker that
    begins again. Raises what the last of the two raises."""
    if fallback is None:
        return await here()
    allowance = RenderingAllowance(IN_PROCESS)
    with within(allowance), Boundary() as boundary:
        result = await here()
    if allowance.spent:
        return await contained(fallback)
    if boundary.error is not None:
        raise boundary.error
    return result
