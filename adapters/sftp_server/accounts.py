"""Who may drop files: accounts, what they may use, and whether somebody who knocks is one of them."""

from __future__ import annotations

import hmac
import re
import time
from collections import deque

import asyncssh
from pydantic import Field, field_validator, model_validator

from hub.core.plugin import Options

PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?")
MINUTE = 60.0


class AccountOptions(Options):
    """A partner's account."""

    partner: str | None = Field(None, min_length=1, description="The partner; without it the account's own name.")
    keys: tuple[str, ...] = Field((), description="Public keys that let in: `ssh-ed25519 AAAA...`.")
    password: str | None = Field(None, min_length=8, description="A password, by reference: ${NAME}. Keys are better.")
    quota: int = Field(1_000_000_000, ge=1, description="Bytes that may stand in the account's folders at once.")
    largest: int = Field(500_000_000, ge=1, description="Bytes that one file may have.")
    per_minute: int = Field(120, ge=1, description="Files that may be dropped within a minute.")
    connections: int = Field(4, ge=1, le=100, description="Connections at once.")

    @field_validator("keys")
    @classmethod
    def public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not PUBLIC_KEY.fullmatch(key):
                raise ValueError(f"{key[:40]!r} is no public key; write the line of the .pub file: ssh-ed25519 AAAA...")
        return value

    @model_validator(mode="after")
    def a_way_in(self) -> AccountOptions:
        if not self.keys and self.password is None:
            raise ValueError("the account needs `keys` or a `password`")
        return self


class Account:
    """One account, with what it uses now."""

    def __init__(self, name: str, options: AccountOptions) -> None:
        self.name = name
        self.partner = options.partner or name
        self.options = options
        self.connections = 0
        self._keys = [asyncssh.import_public_key(key) for key in options.keys]
        self._dropped: deque[float] = deque()

    def knows(self, key: asyncssh.SSHKey) -> bool:
        return any(hmac.compare_digest(key.public_data, known.public_data) for known in self._keys)

    def knows_password(self, password: str) -> bool:
        known = self.options.password
        return known is not None and hmac.compare_digest(password.encode(), known.encode())

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
