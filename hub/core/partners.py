"""Who is who: the partner that an X12 sender or receiver stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.core.agreement import Agreement, InterchangeId

__all__ = ["Agreement", "InterchangeId", "PartnerDirectory"]


class PartnerDirectory:
    """Finds an agreement by interchange id or by name. Immutable."""

    def __init__(self, agreements: Iterable[Agreement] = ()) -> None:
        self._by_name: Mapping[str, Agreement] = {a.partner: a for a in agreements}
        self._by_id: dict[tuple[str, str, bool], Agreement] = {}
        for agreement in self._by_name.values():
            for one in agreement.ids:
                for test in (False, True) if one.test is None else (one.test,):
                    self._by_id[one.qualifier, one.id, test] = agreement

    def by_id(self, qualifier: str, id: str, test: bool = False) -> Agreement | None:
        """The agreement whose ids hold this pair, for test or production traffic; padding doesn't count."""
        return self._by_id.get((qualifier.strip(), id.strip(), test))

    def by_name(self, partner: str) -> Agreement | None:
        return self._by_name.get(partner)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_name))
