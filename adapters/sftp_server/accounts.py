"""Who may drop files: accounts, and what they may use."""

from __future__ import annotations

import hmac
from collections import deque
from typing import Any
from weakref import WeakSet

import asyncssh

from adapters.sftp_server.options import MOST_OPEN, AccountOptions
from hub.core.clock import Clock

MINUTE = 60.0


class Account:
    """One account, with what it uses now."""

    def __init__(self, name: str, options: AccountOptions, clock: Clock) -> None:
        self._clock = clock
        self.name = name
        self.partner = options.partner or name
        self.options = options
        self.connections = 0
        self.open: WeakSet[Any] = WeakSet()
        self._keys = [asyncssh.import_public_key(key) for key in options.keys]
        self._dropped: deque[float] = deque()

    def knows(self, key: asyncssh.SSHKey) -> bool:
        return any(hmac.compare_digest(key.public_data, known.public_data) for known in self._keys)

    def knows_password(self, password: str) -> bool:
        known = self.options.password
        return known is not None and hmac.compare_digest(password.encode(), known.encode())

    def may_open(self) -> bool:
        return len(self.open) < MOST_OPEN

    def may_drop(self) -> bool:
        """Counts one file; False when there were too many within the last minute."""
        now = self._clock.monotonic()
        while self._dropped and now - self._dropped[0] > MINUTE:
            self._dropped.popleft()
        if len(self._dropped) >= self.options.per_minute:
            return False
        self._dropped.append(now)
        return True
