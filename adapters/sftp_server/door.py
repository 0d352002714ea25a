"""The door of a drop box: who is listened to, who gets in, and who is asked to leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import asyncssh

from adapters.sftp_server.accounts import Account, Strangers
from adapters.sftp_server.options import SftpServerSourceOptions
from hub.core.duration import seconds

MOST_KEYS = 20
"""Keys that a client may offer on one connection. An agent offers all it has; nobody guesses a key."""

LOOKS = 4
"""How often within `idle` the connections are looked at."""


class Door:
    """All connections of one server."""

    def __init__(
        self, source: str, options: SftpServerSourceOptions, accounts: Mapping[str, Account], log: Any
    ) -> None:
        self._source = source
        self._options = options
        self._accounts = accounts
        self._idle = seconds(options.idle)
        self._strangers = Strangers()
        self._inside: set[Doorkeeper] = set()
        self._log = log

    def enters(self, keeper: Doorkeeper) -> bool:
        """Counts a connection; False for one that isn't listened to."""
        address = keeper.address
        strange = sum(1 for one in self._inside if one.address == address and one.account is None)
        full = len(self._inside) >= self._options.connections or strange >= self._options.connections_before_login
        if full or self._strangers.shut_out(address):
            self.told("connection_refused", address=address)
            return False
        self._inside.add(keeper)
        return True

    def leaves(self, keeper: Doorkeeper) -> None:
        """A connection on which only keys were offered, and none that is known, is one failure, however many there were."""
        if keeper not in self._inside:
            return
        self._inside.discard(keeper)
        if keeper.account is None and keeper.strange_keys:
            self._strangers.failed(keeper.address)
            self.told(
                "login_refused", account=keeper.login, address=keeper.address, how="key", keys=keeper.strange_keys
            )

    def account(self, login: str) -> Account | None:
        return self._accounts.get(login)

    def wrong_password(self, keeper: Doorkeeper, login: str) -> None:
        self._strangers.failed(keeper.address)
        self.told("login_refused", account=login[:60], address=keeper.address, how="password")

    def has_room(self, keeper: Doorkeeper, account: Account) -> bool:
        if account.connections < account.options.connections:
            return True
        self.told("too_many_connections", account=account.name, address=keeper.address)
        return False

    def told(self, event: str, **what: Any) -> None:
        self._log.warning(event, source=self._source, **what)

    async def end_the_idle(self) -> None:
        """Ends sessions that have asked for nothing for as long as `idle`; keepalives ask for nothing. Ends when it is cancelled."""
        while True:
            await asyncio.sleep(self._idle / LOOKS)
            for keeper in [one for one in self._inside if one.account is not None]:
                if time.monotonic() - keeper.seen >= self._idle:
                    self._log.info("idle_connection_ended", source=self._source, address=keeper.address)
                    keeper.end(f"nothing was asked for within {self._options.idle}")

    async def say_good_bye(self) -> None:
        """Ends every connection; an upload that is under way is broken off, and its partner sends it again."""
        connections = [keeper.connection for keeper in self._inside]
        for connection in connections:
            connection.abort()
        ends = [asyncio.ensure_future(connection.wait_closed()) for connection in connections]
        if ends:
            await asyncio.wait(ends, timeout=5.0)


class Doorkeeper(asyncssh.SSHServer):
    """One connection: who it is, and that it is SFTP and nothing else. `login` is what it calls itself, `account` whose it has proved
    to be; `seen`: when it last asked for something. Nobody learns whether an account exists."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.connection: Any = None
        self.account: Account | None = None
        self.address = "?"
        self.login = ""
        self.strange_keys = 0
        self.seen = time.monotonic()
        self._ended = False

    def end(self, why: str) -> None:
        """Says so; a client that doesn't listen is cut off when it is ended once more."""
        if self._ended:
            self.connection.abort()
        else:
            self._ended = True
            self.connection.disconnect(asyncssh.DISC_BY_APPLICATION, why)

    def connection_made(self, conn: Any) -> None:
        self.connection = conn
        peer = conn.get_extra_info("peername")
        self.address = str(peer[0]) if peer else "?"
        if not self._door.enters(self):
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.leaves(self)
        if self.account is not None:
            self.account.connections -= 1

    def begin_auth(self, username: str) -> bool:
        self.login = username[:60]
        return True

    def auth_completed(self) -> None:
        self.seen = time.monotonic()
        self.account = self._door.account(self.connection.get_extra_info("username"))
        if self.account is not None:
            self.account.connections += 1

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        account = self._door.account(username)
        if account is not None and account.knows(key):
            return self._door.has_room(self, account)
        self.strange_keys += 1
        if self.strange_keys >= MOST_KEYS:
            self.connection.abort()
        return False

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        account = self._door.account(username)
        if account is not None and account.knows_password(password):
            return self._door.has_room(self, account)
        self._door.wrong_password(self, username)
        return False
