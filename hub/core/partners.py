"""Who is who: the partner that an X12 sender or receiver stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterchangeId:
    """An X12 interchange id as ISA05/06 or ISA07/08 carry it: qualifier and id, without the padding."""

    qualifier: str
    id: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The X12 terms between a partner and us, as config/partners/*.yaml states them."""

    partner: str
    ids: tuple[InterchangeId, ...]
    we: InterchangeId | None = None
    version: str | None = None
    receive: tuple[str, ...] = ()
    send: tuple[str, ...] = ()


class PartnerDirectory:
    """Finds an agreement by interchange id or by name. Immutable."""

    def __init__(self, agreements: Iterable[Agreement] = ()) -> None:
        self._by_name: Mapping[str, Agreement] = {a.partner: a for a in agreements}
        self._by_id: Mapping[InterchangeId, Agreement] = {i: a for a in self._by_name.values() for i in a.ids}

    def by_id(self, qualifier: str, id: str) -> Agreement | None:
        """The agreement whose ids hold this pair; padding doesn't count."""
        return self._by_id.get(InterchangeId(qualifier.strip(), id.strip()))

    def by_name(self, partner: str) -> Agreement | None:
        return self._by_name.get(partner)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_name))
