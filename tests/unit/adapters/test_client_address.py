"""Which address a client's wrong passwords are counted for, also behind proxies."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.http.client_address import ClientAddresses, ProxyHeader

PROXY, OUTER, CLIENT = "10.0.0.5", "10.1.2.3", "198.51.100.7"
PROXIES = (PROXY, "10.1.0.0/16", "2001:db8:5::/48")


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        (CLIENT, {}, CLIENT),
        (CLIENT, {"x-forwarded-for": "203.0.113.1"}, CLIENT),
        (PROXY, {"x-forwarded-for": CLIENT}, CLIENT),
        (PROXY, {"x-forwarded-for": f"203.0.113.1, {CLIENT}"}, CLIENT),
        (PROXY, {"x-forwarded-for": f"{CLIENT}, {OUTER}"}, CLIENT),
        (f"::ffff:{PROXY}", {"x-forwarded-for": f"{CLIENT}:4711"}, CLIENT),
        (PROXY, {"x-forwarded-for": "[2001:db8::1]:4711"}, "2001:db8::1"),
        (PROXY, {"x-forwarded-for": f"{CLIENT}, unknown"}, ""),
        (PROXY, {"x-forwarded-for": ""}, ""),
        (PROXY, {"forwarded": f"for={CLIENT}"}, ""),
        (PROXY, {}, ""),
    ],
)
def test_only_what_trusted_proxies_have_appended_counts(peer: str, headers: Mapping[str, str], address: str) -> None:
    assert ClientAddresses(PROXIES, "x-forwarded-for", True).of(peer, headers) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (f"for={CLIENT};proto=https", CLIENT),
        (f'proto=https;For="{CLIENT}:443", for={OUTER}', CLIENT),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ("for=_hidden", ""),
        ("proto=https", ""),
    ],
)
def test_the_forwarded_header(value: str, address: str) -> None:
    header: ProxyHeader = "forwarded"
    assert ClientAddresses(PROXIES, header, True).of(PROXY, {"forwarded": value}) == address


@pytest.mark.parametrize("sign", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_without_the_option_no_address_counts_that_may_be_a_proxys(sign: str) -> None:
    unknown = ClientAddresses(None, "x-forwarded-for", False)
    assert unknown.of(PROXY, {}) == PROXY
    assert unknown.of(PROXY, {sign: CLIENT}) == ""
    assert ClientAddresses(None, "x-forwarded-for", True).of(PROXY, {}) == ""
    assert ClientAddresses((), "x-forwarded-for", True).of(CLIENT, {sign: PROXY}) == CLIENT
