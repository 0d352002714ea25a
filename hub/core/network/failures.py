"""How often somebody gave a wrong password or key within the last minute: an address, or for an account.

An address that failed too often is shut out. An account is only slowed down: otherwise a stranger could lock a partner
out.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from hub.core.network.client_network import network_of

MINUTE = 60.0
MOST = 10
"""Failures within a minute after which an address is shut out."""

REMEMBERED = 10_000
"""Addresses or accounts that are remembered; beyond that the one whose last failure is oldest is forgotten."""

FREE, FIRST_DELAY, LONGEST_DELAY = 3, 0.25, 4.0
"""Failures of an account without a delay, the delay after one more (seconds, doubled by each further one), and its
bound."""


class Failures:
    """Failures of the last minute, by name. `clock` gives seconds that never go back. One process counts for itself."""

    def __init__(self, clock: Callable[[], float], remembered: int = REMEMBERED) -> None:
        self._clock = clock
        self._remembered = remembered
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, name: str) -> None:
        moments = self._moments.setdefault(name, deque(maxlen=MOST))
        moments.append(self._clock())
        self._moments.move_to_end(name)
        while len(self._moments) > self._remembered:
            self._moments.popitem(last=False)

    def count(self, name: str) -> int:
        """At most MOST."""
        oldest = self._clock() - MINUTE
        return sum(1 for moment in self._moments.get(name, ()) if moment > oldest)


class FailedAddresses:
    """Counts by `network_of`. The empty address stands for one that is not known: it is never shut out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._failures = Failures(clock)

    def failed(self, address: str) -> None:
        if address:
            self._failures.add(network_of(address))

    def shut_out(self, address: str) -> bool:
        return bool(address) and self._failures.count(network_of(address)) >= MOST


class FailedAccounts:
    """Counts by the name that a client gives, whether there is such an account or not: the delay tells nobody that
    there is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._failures = Failures(clock)

    def failed(self, account: str) -> None:
        self._failures.add(account[:200])

    def delay(self, account: str) -> float:
        """Seconds to wait before the next password for the account is compared. None for the empty name, which stands
        for no account."""
        if not account:
            return 0.0
        beyond = self._failures.count(account[:200]) - FREE
        return 0.0 if beyond < 0 else float(min(LONGEST_DELAY, FIRST_DELAY * 2**beyond))
