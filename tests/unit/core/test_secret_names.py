"""What lets us in is told by names, and kept apart from what may be shown."""

from __future__ import annotations

import pytest

from hub.core.options.secret_names import (
    parameter_names,
    with_parameters,
    without_credentials,
    without_secret_parameters,
)


@pytest.mark.parametrize(
    ("url", "shown", "hidden"),
    [
        ("/orders", "/orders", ""),
        ("/orders?", "/orders?", ""),
        ("/orders?a=1&b={number}", "/orders?a=1&b={number}", ""),
        ("/orders?sig=x", "/orders", "?sig=x"),
        ("/orders?a=1&api_key=x&b=2&token=y", "/orders?a=1&b=2", "?api_key=x&token=y"),
        ("/orders?token={number}", "/orders?token={number}", ""),  # a fact of the document
    ],
)
def test_parameters_that_let_us_in_are_apart(url: str, shown: str, hidden: str) -> None:
    assert without_secret_parameters(url) == (shown, hidden)
    assert set(with_parameters(shown, hidden).partition("?")[2].split("&")) == set(url.partition("?")[2].split("&"))
    assert "".join(parameter_names(hidden)) == "".join(pair.partition("=")[0] for pair in hidden[1:].split("&"))


def test_headers_that_let_us_in_are_apart() -> None:
    hidden = {"X-Api-Key": "k", "X-Forwarded-Auth": "Bearer t", "accessToken": "x"}
    shown = {"X-Region": "EU", "X-Token": "{number}", "Accept": "basic"}
    assert without_credentials(shown | hidden) == (shown, hidden)
