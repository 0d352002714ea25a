"""A date or a period in one text, by the code of its format (elements 1250 and 1251): to fields of a part, and back.

The fields are those of a milestone: `date` and `time`, and `until`, the last day of a period. `format` keeps the code
where it isn't RD8, which a last day says by itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from transformers.x12.declarations.declaration import Element
from transformers.x12.declarations.element_text import NoText, text_of
from transformers.x12.declarations.element_value import WrongElement, checked

RANGE = "RD8"

_DAY = {6: Element("1251", "Date", "DT", 6, 6), 8: Element("1251", "Date", "DT", 8, 8)}
_TIME = Element("1251", "Time", "TM", 4, 8)


@dataclass(frozen=True, slots=True)
class Format:
    """How a code writes it: digits of a date, whether a time follows, whether it is two dates with a hyphen between
    them."""

    pattern: str
    day: int
    time: bool = False
    range: bool = False


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "D6": Format("YYMMDD", 6),
        "D8": Format("CCYYMMDD", 8),
        "DT": Format("CCYYMMDDHHMM", 8, time=True),
        "RD6": Format("YYMMDD-YYMMDD", 6, range=True),
        "RD8": Format("CCYYMMDD-CCYYMMDD", 8, range=True),
    }
)
"""The codes that give fields; what has another one is kept whole. Source: element 1250 as implementation guides of
retailers and of health care state it (D6, D8, DT, RD6 and RD8 mean the same in all of them)."""

PERIOD_FIELDS = ("date", "time", "until", "format")


@dataclass(frozen=True, slots=True)
class Told:
    """What a text says. `until` is set where it is a period."""

    date: datetime.date
    time: str | None = None
    until: datetime.date | None = None


def parts(code: str) -> dict[str, tuple[int, int | None]]:
    """By field, the characters of a text of this format that say it: the first one, and the one behind the last."""
    form = FORMATS[code]
    second = "until" if form.range else "time" if form.time else None
    start = form.day + (1 if form.range else 0)
    return {"date": (0, form.day), **({second: (start, None)} if second else {})}


def parse_period(code: str, text: str) -> Told | None:
    """None for a code that gives no fields. Raises WrongElement where the text isn't of its format."""
    form = FORMATS.get(code)
    if form is None:
        return None
    try:
        return _parse(form, text)
    except WrongElement:
        raise WrongElement("8", f"found {text[:40]!r}, expected {form.pattern} (format {code})") from None


def _parse(form: Format, text: str) -> Told:
    if form.range:
        first, _, last = text.partition("-")
        found = Told(checked(_DAY[form.day], first), None, checked(_DAY[form.day], last))
        if found.until is not None and found.until < found.date:
            raise WrongElement("8", "")
        return found
    day, rest = (text[: form.day], text[form.day :]) if form.time else (text, "")
    return Told(checked(_DAY[form.day], day), checked(_TIME, rest) if form.time else None)


def period_text(
    code: str | None, date: datetime.date | None, time: str | None, until: datetime.date | None
) -> tuple[str, str]:
    """The code and the text; that of the shortest way to say all of it, where `code` is None. Raises NoText."""
    if date is None:
        raise NoText("a period needs the day that it begins on" if until else f"the format {code} needs a date")
    chosen = code or (RANGE if until else "DT" if time else "D8")
    form = FORMATS.get(chosen)
    if form is None:
        raise NoText(f"{chosen[:20]!r} is no format of dates that we write: {', '.join(FORMATS)}")
    if form.range != (until is not None) or form.time != (time is not None):
        raise NoText(f"the format {chosen} ({form.pattern}) can't say it")
    if until is not None and until < date:
        raise NoText(f"the period ends on {until}, before it begins on {date}")
    texts = [text_of(_DAY[form.day], day) for day in (date, until) if day is not None]
    return chosen, "-".join(texts) + (time or "")


def take_period(
    code: str, text: str, date: datetime.date | None, time: str, place: str, warnings: list[str]
) -> tuple[datetime.date | None, str, datetime.date | None, str | None]:
    """For a reader: date, time and last day of a segment, and the code of its format where the fields hold it. `date`
    and `time` are those of the segment's own elements: where there are such, the text is left alone. A text that isn't
    of its format is warned of."""
    try:
        found = parse_period(code, text) if date is None and not time else None
    except WrongElement as error:
        warnings.append(f"{place}: {error}; it is kept as it came")
        found = None
    if found is None:
        return date, time, None, None
    return found.date, found.time or "", found.until, code
