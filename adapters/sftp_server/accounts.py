"""Who may drop files: accounts, what they may use, and whether somebody who knocks is one of them."""

from __future__ import annotations

import hmac
import time
from collections import deque
from typing import Any
from weakref import WeakSet

import asyncssh

from adapters.sftp_server.options import AccountOptions

MINUTE = 60.0

MOST_OPEN = 100
"""Files and listings that all sessions of an account may have open."""


class Account:
    """One account, with what it uses now."""

    def __init__(self, name: str, options: AccountOptions) -> None:
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
        now = time.monotonic()
        while self._dropped and now - self._dropped[0] > MINUTE:
            self._dropped.popleft()
        if len(self._dropped) >= self.options.per_minute:
            return False
        self._dropped.append(now)
        return True


class Strangers:
    """Addresses from which logins failed: after too many within a minute nobody there is listened to."""

    def __init__(self, most: int = 10) -> None:
        self._most = most
        self._failures: dict[str, deque[float]] = {}

    def failed(self, address: str) -> None:
        if len(self._failures) > 10_000:
            self._failures.clear()
        self._failures.setdefault(address, deque(maxlen=self._most)).append(time.monotonic())

    def shut_out(self, address: str) -> bool:
        failures = self._failures.get(address)
        return failures is not None and len(failures) == self._most and time.monotonic() - failures[0] < MINUTE
