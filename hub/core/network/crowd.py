"""Connections at once: how many in all, how many of one network, and which has to leave when all places are taken."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from hub.core.network.client_network import network_of


class Guest(Protocol):
    """A connection. `idle`: it is asked for nothing now, and may be ended."""

    @property
    def address(self) -> str: ...

    @property
    def idle(self) -> bool: ...


G = TypeVar("G", bound=Guest)


class Crowd(Generic[G]):
    """Counts from the accept on. When all places are taken, the oldest idle connection of the network that has most of
    them makes room, but only for a network that has fewer: silent connections of a few networks never keep the others
    out.

    `unlimited` says for which addresses the bound of one network does not count.
    """

    def __init__(self, most: int, most_of_one: int, unlimited: Callable[[str], bool] = lambda address: False) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._unlimited = unlimited
        self._count = 0
        self._inside: dict[str, OrderedDict[G, None]] = {}

    def __len__(self) -> int:
        return self._count

    def enter(self, guest: G) -> G | None:
        """The one that has to leave, which the caller ends: an earlier one, or the guest itself. None: there was
        room."""
        network = network_of(guest.address)
        mine = len(self._inside.get(network, ()))
        if mine >= self._most_of_one and not self._unlimited(guest.address):
            return guest
        leaves: G | None = None
        if self._count >= self._most:
            leaves = self._least_missed(mine)
            if leaves is None:
                return guest
            self.leave(leaves)
        self._inside.setdefault(network, OrderedDict())[guest] = None
        self._count += 1
        return leaves

    def leave(self, guest: G) -> None:
        """Twice is harmless."""
        network = network_of(guest.address)
        mine = self._inside.get(network)
        if mine is None or guest not in mine:
            return
        del mine[guest]
        self._count -= 1
        if not mine:
            del self._inside[network]

    def _least_missed(self, mine: int) -> G | None:
        """Of the networks that would still have more than the newcomer's."""
        larger = sorted((n for n in self._inside.values() if len(n) > mine + 1), key=len, reverse=True)
        return next((guest for network in larger for guest in network if guest.idle), None)
