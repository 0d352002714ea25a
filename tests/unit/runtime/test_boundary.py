"""The boundary: an error ends its block and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from structlog import get_logger
from structlog.testing import capture_logs

from hub.core.errors import DecodeError, TransientError
from hub.core.ports import Reading
from hub.runtime.boundary import Boundary, Logged, guarded


def test_the_error_of_a_block_is_kept() -> None:
    error = ValueError("broken")
    with Boundary() as boundary:
        raise error
    assert boundary.error is boundary.caught is error
    with Boundary() as boundary:
        pass
    assert boundary.error is None


def test_a_cancellation_and_the_named_kinds_go_through() -> None:
    with pytest.raises(asyncio.CancelledError), Boundary():
        raise asyncio.CancelledError
    with pytest.raises(TransientError), Boundary(but=(TransientError,)):
        raise TransientError("away", "unreachable")


def test_a_logged_boundary_says_what_failed() -> None:
    with capture_logs() as logs:
        with Logged(get_logger(), "not_noted", message_id="m1"):
            raise ValueError
        with Logged(get_logger(), "not_noted", message_id="m1"):
            pass
    assert logs == [{"event": "not_noted", "log_level": "warning", "message_id": "m1", "error": "ValueError"}]


def test_what_a_reader_gave_before_it_failed_stays() -> None:
    def read() -> Iterator[Reading]:
        yield Reading(("1",))
        raise ValueError("broken")

    first, last = guarded(read)
    assert (first.position, first.error) == (("1",), None)
    assert isinstance(last.error, DecodeError)
    assert str(last.error) == "the reader failed: ValueError: broken"


def test_a_reader_that_can_not_begin_gives_its_error() -> None:
    def read() -> Iterator[Reading]:
        raise MemoryError

    (only,) = guarded(read)
    assert isinstance(only.error, DecodeError)
