"""What stands in the pages of a list."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.rest.page import read, scalar
from hub.core.errors import DecodeError


def test_a_cursor_is_its_text_digit_by_digit() -> None:
    found = read(b'[1.50, 7, "7", true, null, ""]', "the reply")
    assert [scalar(one) for one in found] == ["1.50", "7", "7", None, None, None]


@pytest.mark.parametrize("number", [b"1e200000000", b"1e99999999999999999999", b"0e-200000000"])
def test_a_number_that_would_fill_the_memory_is_no_json(number: bytes) -> None:
    with pytest.raises(DecodeError, match=r"the reply isn't JSON: .*expected a number"):
        read(number, "the reply")


def test_a_long_cursor_is_refused() -> None:
    assert scalar(Decimal("1e60")) == "1" + 60 * "0"
    with pytest.raises(DecodeError, match="found a cursor, token or name of 1001 characters; 1000 are the most"):
        scalar("x" * 1001)
