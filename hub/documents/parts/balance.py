"""Whether the totals that a document states are those of its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.documents.base import EXACT, added
from hub.documents.parts.commerce import Adjustment, Tax, adjusted, tax_of
from hub.documents.parts.line import Line, line_amounts

CENT = Decimal("0.01")
HALF_CENT = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Balance:
    """`stated`: fields and the totals that stand there. `sums`: what the total may be, the likeliest first; empty:
    nothing can be said. `parts`: the amounts that were added, each of which the sender may have rounded to a cent.
    `unsigned`: the sign of the total says nothing (a credit memo). `of`: what the amounts are those of."""

    stated: Sequence[tuple[str, Decimal]]
    sums: Sequence[Decimal] = ()
    parts: Sequence[Decimal] = ()
    unsigned: bool = False
    of: str = "lines"

    def contradictions(self) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Each field whose total isn't one of the sums: the field, its total, the likeliest sum."""
        for field, stated in self.stated:
            if self.sums and not self._fits(stated):
                yield field, stated, self.sums[0]

    def _fits(self, stated: Decimal) -> bool:
        if stated in self.sums:
            return True
        rounded = sum(1 for part in self.parts if part != part.quantize(CENT, context=EXACT))
        slack = HALF_CENT * (rounded + 1) if rounded else Decimal(0)
        signed = (stated, -stated) if self.unsigned else (stated,)
        return any(abs(EXACT.subtract(one, found)) <= slack for one in signed for found in self.sums)


def balance_of_lines(
    stated: Sequence[tuple[str, Decimal]],
    lines: Sequence[Line],
    adjustments: tuple[Adjustment, ...],
    taxes: tuple[Tax, ...],
    *,
    taxed: bool,
    unsigned: bool = False,
) -> Balance:
    """Of a document that states totals. Taxes may stand at the lines, at the document, or at both, where those of the
    document are often the sum of the others. `taxed`: the total has the taxes in it; else it may."""
    known = line_amounts(lines)
    if not known:
        return Balance(stated)
    base = added(known)
    whole = adjusted(base, adjustments)
    if whole is None:
        return Balance(stated)
    own = tax_of(taxes)
    of_parts = tax_of_parts(lines, adjustments)
    sums = dict.fromkeys(EXACT.add(whole, tax) for tax in (EXACT.add(own, of_parts), own, of_parts))
    if not taxed:
        sums = dict.fromkeys((whole, *sums))
    changes = [value for one in adjustments if (value := one.value(base)) is not None]
    return Balance(stated, tuple(sums), (*known, *changes, own, of_parts), unsigned)


def tax_of_parts(lines: Sequence[Line], adjustments: Sequence[Adjustment]) -> Decimal:
    """What the taxes of lines add, and those of allowances and charges: of the lines, and of the document."""
    of_lines = tax_of(tax for line in lines for tax in line.taxes)
    charges = (one for line in lines for one in line.adjustments)
    return EXACT.add(of_lines, added(one.tax for one in (*charges, *adjustments) if one.taxes))
