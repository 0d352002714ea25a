"""Who is shut out, who is slowed down, which connection leaves, and which log lines are written."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from structlog import get_logger
from structlog.testing import capture_logs

from hub.core.network.client_network import network_of
from hub.core.network.crowd import Crowd
from hub.core.network.failures import LONGEST_DELAY, MOST, REMEMBERED, FailedAccounts, FailedAddresses, Failures
from hub.core.network.sampling import SampledLog


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("?", "?"),
    ],
)
def test_the_network_that_an_address_stands_for(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_address_is_shut_out_for_a_minute() -> None:
    clock = Clock()
    addresses = FailedAddresses(clock)
    for number in range(MOST):
        assert not addresses.shut_out("2001:db8::1")
        addresses.failed(f"2001:db8::{number}")
    assert addresses.shut_out("2001:db8::ffff")
    assert not addresses.shut_out("2001:db8:0:1::1")
    clock.now += 61
    assert not addresses.shut_out("2001:db8::1")


def test_more_addresses_than_are_remembered_clear_nothing_but_the_oldest() -> None:
    clock = Clock()
    addresses = FailedAddresses(clock)
    addresses.failed("192.0.2.1")
    for _ in range(MOST):
        addresses.failed("198.51.100.1")
    for number in range(REMEMBERED - 1):
        addresses.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert addresses.shut_out("198.51.100.1")
    failures = Failures(clock, remembered=3)
    for name in ("a", "b", "c", "a", "d"):
        failures.add(name)
    assert [failures.count(name) for name in "abcd"] == [2, 0, 1, 1]
    assert len(failures) == 3


def test_an_address_that_is_not_known_is_never_shut_out() -> None:
    addresses = FailedAddresses(Clock())
    for _ in range(2 * MOST):
        addresses.failed("")
    assert not addresses.shut_out("")


def test_an_account_is_slowed_down_and_never_locked() -> None:
    clock = Clock()
    accounts = FailedAccounts(clock)
    delays = []
    for _ in range(20):
        delays.append(accounts.delay("acme"))
        accounts.failed("acme")
    assert delays[:5] == [0.0, 0.0, 0.0, 0.25, 0.5]
    assert max(delays) == LONGEST_DELAY
    assert accounts.delay("bolt") == 0.0
    clock.now += 61
    assert accounts.delay("acme") == 0.0


@dataclass(eq=False)
class Guest:
    address: str
    idle: bool = True
    left: bool = field(default=False)


def test_a_full_house_takes_the_oldest_idle_guest_of_the_largest_network() -> None:
    crowd: Crowd[Guest] = Crowd(6, 5)
    many = [Guest("192.0.2.1", idle=number != 0) for number in range(5)]
    assert [crowd.enter(guest) for guest in many] == [None] * 5
    other = Guest("198.51.100.1")
    assert crowd.enter(other) is None
    assert crowd.enter(Guest("203.0.113.1")) is many[1]
    assert len(crowd) == 6
    one_more = Guest("192.0.2.1")
    assert crowd.enter(one_more) is one_more
    crowd.leave(many[1])
    assert len(crowd) == 6


def test_one_network_has_only_so_many_places() -> None:
    crowd: Crowd[Guest] = Crowd(10, 2, unlimited=lambda address: address == "10.0.0.5")
    guests = [Guest(f"2001:db8::{number}") for number in range(3)]
    assert [crowd.enter(guest) for guest in guests] == [None, None, guests[2]]
    assert [crowd.enter(Guest("10.0.0.5")) for _ in range(4)] == [None] * 4
    crowd.leave(guests[0])
    assert crowd.enter(guests[2]) is None


def test_log_lines_beyond_some_are_counted_and_left_out() -> None:
    clock = Clock()
    with capture_logs() as lines:
        log = SampledLog(get_logger(), clock, most=3)
        for _ in range(100):
            log.warning("login_refused", address="192.0.2.1")
        log.warning("other")
        clock.now += 60
        log.warning("login_refused", address="192.0.2.1")
    assert [(line["event"], line.get("left_out")) for line in lines] == [
        *[("login_refused", None)] * 3,
        ("other", None),
        ("login_refused", 97),
    ]
