"""The door of a drop box: who is listened to, who gets in, and who is asked to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import asyncssh

from adapters.sftp_server.accounts import Account
from adapters.sftp_server.algorithms import without_sha1
from adapters.sftp_server.options import SftpServerSourceOptions
from hub.core.clock import Clock
from hub.core.log import Log
from hub.core.network.crowd import Crowd
from hub.core.network.failures import FailedAccounts, FailedAddresses
from hub.core.network.sampling import SampledLog
from hub.core.options.duration import seconds

MOST_KEYS = 20
"""Keys that a client may offer on one connection. An agent offers all it has; nobody guesses a key."""

MOST_UNSENT = 16 << 20
"""Bytes of answers that may wait for one connection; far more than the answers to reads, which wait for their turn."""

MOST_CHANNELS = 50
"""Channels that one connection may have open, whatever they are for: each costs memory. Programs open one, OpenSSH
allows ten."""

LOOK_AT_GREED = 1.0
"""Seconds between two looks at what connections take."""

LOOKS = 4
"""How often within `idle` the connections are looked at."""


class Door:
    """All connections of one server."""

    def __init__(
        self, source: str, options: SftpServerSourceOptions, accounts: Mapping[str, Account], log: Log, clock: Clock
    ) -> None:
        self._source = source
        self.clock = clock
        self._options = options
        self._accounts = accounts
        self._idle = seconds(options.idle)
        self._addresses = FailedAddresses(clock.monotonic)
        self._failed_accounts = FailedAccounts(clock.monotonic)
        self._before_login: Crowd[Doorkeeper] = Crowd(options.logins_at_once, options.connections_before_login)
        self._inside: set[Doorkeeper] = set()
        self._log = log
        self._sampled = SampledLog(log, clock.monotonic)

    @property
    def logged_in(self) -> int:
        return len(self._inside) - len(self._before_login)

    def enters(self, keeper: Doorkeeper) -> bool:
        """Counts a connection; False for one that isn't listened to. Connections whose logins aren't done have places
        of their own."""
        address = keeper.address
        if self._addresses.shut_out(address):
            self.warn("address_shut_out", address=address)
            return False
        leaves = self._before_login.enter(keeper)
        if leaves is not None:
            self.warn("connection_refused", address=leaves.address)
        if leaves is keeper:
            return False
        self._inside.add(keeper)
        if leaves is not None:
            leaves.connection.abort()
        return True

    def logs_in(self, keeper: Doorkeeper) -> None:
        self._before_login.leave(keeper)

    def leaves(self, keeper: Doorkeeper) -> None:
        """A connection on which only keys were offered, and none that is known, is one failure, however many there
        were."""
        if keeper not in self._inside:
            return
        self._inside.discard(keeper)
        self._before_login.leave(keeper)
        if keeper.account is None and keeper.strange_keys:
            self._addresses.failed(keeper.address)
            self.warn(
                "login_refused", account=keeper.login, address=keeper.address, how="key", keys=keeper.strange_keys
            )

    def account(self, login: str) -> Account | None:
        return self._accounts.get(login)

    def delay(self, login: str) -> float:
        """Seconds before a password for the account is compared: it is slowed down, and never locked."""
        return self._failed_accounts.delay(login)

    def wrong_password(self, keeper: Doorkeeper, login: str) -> None:
        self._addresses.failed(keeper.address)
        self._failed_accounts.failed(login)
        self.warn("login_refused", account=login[:60], address=keeper.address, how="password")

    def has_room(self, keeper: Doorkeeper, account: Account) -> bool:
        if account.connections < account.options.connections and self.logged_in < self._options.connections:
            return True
        self.warn("too_many_connections", account=account.name, address=keeper.address)
        return False

    def warn(self, event: str, **what: Any) -> None:
        self._sampled.warning(event, source=self._source, **what)

    async def end_the_idle(self) -> None:
        """Ends sessions that have asked for nothing for as long as `idle`; keepalives ask for nothing. Ends when it is
        cancelled."""
        while True:
            await self.clock.sleep(self._idle / LOOKS)
            for keeper in [one for one in self._inside if one.account is not None]:
                if self.clock.monotonic() - keeper.seen >= self._idle:
                    self._log.info("idle_connection_ended", source=self._source, address=keeper.address)
                    keeper.end(f"nothing was asked for within {self._options.idle}")

    async def end_the_greedy(self) -> None:
        """Ends sessions that ask and take no answer, or open one channel after the other: what is kept for them would
        fill the memory. Ends when it is cancelled."""
        while True:
            await self.clock.sleep(LOOK_AT_GREED)
            for keeper in list(self._inside):
                if keeper.unsent > MOST_UNSENT:
                    self.warn("answers_not_taken", address=keeper.address, unsent=keeper.unsent)
                elif keeper.open_channels > MOST_CHANNELS:
                    self.warn("too_many_channels", address=keeper.address, channels=keeper.open_channels)
                else:
                    continue
                keeper.connection.abort()

    async def say_good_bye(self) -> None:
        """Ends every connection; an upload that is under way is broken off, and its partner sends it again."""
        connections = [keeper.connection for keeper in self._inside]
        for connection in connections:
            connection.abort()
        ends = [asyncio.ensure_future(connection.wait_closed()) for connection in connections]
        if ends:
            with suppress(TimeoutError):
                async with self.clock.timeout(5.0):
                    await asyncio.wait(ends)


class Doorkeeper(asyncssh.SSHServer):
    """One connection: who it is, and that it is SFTP and nothing else. `login` is what it calls itself, `account` whose
    it has proved to be; `seen`: when it last asked for something. Nobody learns whether an account exists."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._clock = door.clock
        self.connection: Any = None
        self.account: Account | None = None
        self.address = "?"
        self.login = ""
        self.strange_keys = 0
        self.channels: WeakSet[Any] = WeakSet()
        self.seen = self._clock.monotonic()
        self._ended = False

    @property
    def idle(self) -> bool:
        """Whether its place may go to another: until it has logged in."""
        return self.account is None

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client hasn't taken yet. asyncssh keeps what its transport holds to itself."""
        waiting = sum(channel.get_write_buffer_size() for channel in self.channels)
        transport = getattr(self.connection, "_transport", None)
        return int(waiting + (transport.get_write_buffer_size() if transport is not None else 0))

    @property
    def open_channels(self) -> int:
        """asyncssh counts them, and has no bound of its own."""
        return len(getattr(self.connection, "_channels", ()))

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
        self.seen = self._clock.monotonic()
        self.account = self._door.account(self.connection.get_extra_info("username"))
        if self.account is not None:
            self.account.connections += 1
            self._door.logs_in(self)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        account = self._door.account(username)
        if account is not None and account.knows(without_sha1(key)):
            return self._door.has_room(self, account)
        self.strange_keys += 1
        if self.strange_keys >= MOST_KEYS:
            self.connection.abort()
        return False

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        await self._clock.sleep(self._door.delay(username))
        account = self._door.account(username)
        if account is not None and account.knows_password(password):
            return self._door.has_room(self, account)
        self._door.wrong_password(self, username)
        return False
