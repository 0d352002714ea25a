"""An interchange that is refused whole, and the numbers of the documents in it, by which people look for it."""

from __future__ import annotations

from dataclasses import replace

from hub.core.ports import Reading
from transformers.x12.declarations.catalogue import known_sets
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import Delimiters, as_text
from transformers.x12.envelope.event import Event
from transformers.x12.reading.refused_number import number_in

MOST = 1000
"""Numbers that are kept of one interchange."""

LOOKED_AT = 4096
"""Bytes of a transaction in which its number is looked for."""


class RefusedInterchange:
    """Its reading, which waits until all its transactions have been seen."""

    def __init__(self, refusal: Reading) -> None:
        self._refusal = refusal
        self._numbers: dict[str, None] = {}

    def note(self, event: Event, delimiters: Delimiters) -> None:
        """Keeps the number of a transaction, where one stands in its beginning."""
        if len(self._numbers) >= MOST:
            return
        marks = as_text(delimiters)
        data = event.data
        if len(data) > LOOKED_AT:  # whole segments, so that no character is cut
            data = data[: max(data.rfind(delimiters.terminator, 0, LOOKED_AT), 0)]
        text = character_set(data, delimiters).decode(data)
        segments = [part.strip(marks.blanks) for part in text.split(marks.terminator)]
        name = [*segments[0].split(marks.element), ""][1].strip()
        number = number_in(name, segments, marks.element) if name in known_sets() else ""
        if number:
            self._numbers[number] = None

    def reading(self) -> Reading:
        numbers = tuple(("number", number) for number in self._numbers)
        return replace(self._refusal, keys=(*self._refusal.keys, *numbers))
