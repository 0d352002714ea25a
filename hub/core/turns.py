"""Turns at an endpoint: what it bears at once."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Turns(Protocol):
    """The limit of an endpoint, shared by all who send to it or ask it. `async with turns.turn():` is one request. It
    begins when the limit lets it; its TransientError counts as a failure of the far end. Raises TransientError while
    the far end is left alone."""

    def turn(self) -> AbstractAsyncContextManager[None]: ...
