"""Hours and days in a partner's time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hub.core.options.window import Window, WindowOptions


def window(**options: object) -> Window:
    return Window(WindowOptions.model_validate(options))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_anything_it_is_always_open() -> None:
    assert window().is_open(at("2026-03-01T00:00"))
    assert window().is_open(at("2026-03-01T23:59"))


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-01-05T04:59", False),  # 05:59 in Berlin, a Monday
        ("2026-01-05T05:00", True),
        ("2026-01-05T20:59", True),
        ("2026-01-05T21:00", False),
        ("2026-07-06T04:00", True),  # summer: 06:00 there
        ("2026-07-06T03:59", False),
        ("2026-01-10T10:00", False),  # a Saturday
    ],
)
def test_hours_are_those_of_the_zone(moment: str, open_: bool) -> None:
    berlin = window(
        zone="Europe/Berlin",
        **{"from": "06:00", "to": "22:00"},
        days=(
            "mon",
            "tue",
            "wed",
            "thu",
            "fri",
        ),
    )
    assert berlin.is_open(at(moment)) is open_


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = window(**{"from": "22:00", "to": "02:00"}, days=("fri",))
    assert night.is_open(at("2026-01-09T23:00"))
    assert night.is_open(at("2026-01-10T01:59"))
    assert not night.is_open(at("2026-01-10T02:00"))
    assert not night.is_open(at("2026-01-09T01:00"))


def test_when_it_opens_next() -> None:
    weekdays = window(zone="America/Chicago", **{"from": "08:00", "to": "17:00"}, days=("mon",))
    assert weekdays.opens_in(at("2026-01-05T14:00")) == 0
    assert weekdays.opens_in(at("2026-01-05T13:59")) == 60
    assert weekdays.opens_in(at("2026-01-05T23:00")) == 7 * 86400 - 9 * 3600


def test_the_days_on_which_clocks_change() -> None:
    berlin = window(zone="Europe/Berlin", **{"from": "01:00", "to": "04:00"}, days=("sun",))
    assert berlin.is_open(at("2026-03-29T00:00"))
    assert berlin.is_open(at("2026-03-29T01:59"))  # 03:59, two hours after 01:00
    assert not berlin.is_open(at("2026-03-29T02:00"))
    assert berlin.is_open(at("2026-10-25T02:59"))  # 03:59, four hours after 01:00
    assert not berlin.is_open(at("2026-10-25T03:00"))


@pytest.mark.parametrize(
    "wrong", [{"zone": "Mars/Olympus"}, {"from": "6:00"}, {"to": "24:01"}, {"days": ()}, {"zone": "../etc"}]
)
def test_mistakes(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WindowOptions.model_validate(wrong)
