"""How far a long transfer has come, said now and then."""

from __future__ import annotations

from hub.core.clock import Clock
from hub.core.log import Log

EVERY = 5.0
"""Seconds between two lines of the log about one transfer."""


class TransferProgress:
    """Called with the bytes that have gone over; says so every few seconds, and nothing of short transfers."""

    def __init__(self, log: Log, event: str, name: str, size: int, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._event = event
        self._name = name
        self._size = size
        self._began = self._said = clock.monotonic()

    def __call__(self, done: int) -> None:
        now = self._clock.monotonic()
        if now - self._said < EVERY:
            return
        self._said = now
        rate = done / (now - self._began)
        left = round((self._size - done) / rate) if rate else None
        self._log.info(self._event, file=self._name, bytes=done, of=self._size, seconds_left=left)
