"""A line of an order or of an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

from hub.documents.base import EXACT, Number, Part, added
from hub.documents.parts.commerce import Adjustment, Freight, Routing, Tax, Terms, adjusted
from hub.documents.parts.distribution import Distribution
from hub.documents.parts.goods import Description, Packaging, Price
from hub.documents.parts.identifiers import NO_IDS, Identifiers
from hub.documents.parts.parts import (
    Contact,
    Measurement,
    Milestone,
    MonetaryAmount,
    Note,
    Party,
    Quantity,
    Reference,
)
from hub.documents.parts.price_basis import ALWAYS_KNOWN, ONE, NoFactor, factor

SIXTH_PLACE = Decimal("0.000001")

UNKNOWN_RATE = "an allowance or charge has a rate, and nothing says for how much"


class LineSchedule(Part):
    """A part of the line's quantity, and when it is wanted. X12: SCH."""

    quantity: Number
    unit: str | None = None
    dates: tuple[Milestone, ...] = ()
    party_role: str | None = None
    party_name: str | None = None
    request: str | None = None


class Subline(Part):
    """A component of a line: of a kit, of a pack. X12: SLN."""

    number: str
    relation: str | None = None
    parent: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    products: Identifiers = NO_IDS
    descriptions: tuple[Description, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    dates: tuple[Milestone, ...] = ()


class Line(Part):
    """A line. `products` maps the qualifier of a product id (`UP` UPC, `VN` vendor's item, `BP` buyer's part) to the
    id; `case_code` is the UPC of the case, which grocery sets give without a qualifier (X12: G68, G17). `price` is
    exact, for one `unit` unless `price_basis` says otherwise (`HP` per hundred, `PE` per piece, `NC` no charge)."""

    number: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    price_basis: str | None = None
    case_code: str | None = None
    products: Identifiers = NO_IDS
    descriptions: tuple[Description, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    schedules: tuple[LineSchedule, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    sublines: tuple[Subline, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[Tax, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Milestone, ...] = ()
    notes: tuple[Note, ...] = ()
    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    amounts: tuple[MonetaryAmount, ...] = ()
    prices: tuple[Price, ...] = ()
    terms: tuple[Terms, ...] = ()
    freight: tuple[Freight, ...] = ()
    routings: tuple[Routing, ...] = ()

    @property
    def amount(self) -> Decimal | None:
        """Quantity times price, with the line's allowances and charges; None when either is missing, or when nothing
        says for how much the price or a rate is (`amount_unknown`)."""
        base = self._base
        if not isinstance(base, Decimal):
            return None
        return adjusted(base, self.adjustments, self.quantity, self.unit) if self.adjustments else base

    @property
    def amount_unknown(self) -> str | None:
        """Why a line with a quantity and a price has no amount."""
        base = self._base
        if isinstance(base, NoFactor):
            return base.why
        if base is None or self.amount is not None:
            return None
        return UNKNOWN_RATE

    @property
    def _base(self) -> Decimal | NoFactor | None:
        if self.quantity is None or self.price is None:
            return None
        amount = EXACT.multiply(self.quantity, self.price)
        if self.price_basis is None or not amount:
            return amount
        by = factor(self.price_basis, self.unit, self.packaging)
        return by if isinstance(by, NoFactor) else _times(amount, by)

    @property
    def description(self) -> str | None:
        """The first description in words."""
        return next((d.text for d in self.descriptions if d.text), None)


def _times(amount: Decimal, by: Fraction) -> Decimal:
    """Exact where the result ends; else (a third of a dozen) to six places."""
    if by is ONE or by == 1:
        return amount
    found = EXACT.divide(EXACT.multiply(amount, Decimal(by.numerator)), Decimal(by.denominator))
    return found if Fraction(found) == Fraction(amount) * by else found.quantize(SIXTH_PLACE, context=EXACT)


def line_amounts(lines: Iterable[Line]) -> list[Decimal] | None:
    """The amount of each line; None when one has none: a sum of some of them would be wrong."""
    found: list[Decimal] = []
    with localcontext(EXACT):
        for line in lines:
            quantity, price = line.quantity, line.price
            if quantity is None or price is None:
                return None
            if line.price_basis is None and not line.adjustments:
                found.append(quantity * price)
            elif (amount := line.amount) is not None:
                found.append(amount)
            else:
                return None
    return found


def sum_lines(lines: Iterable[Line], adjustments: tuple[Adjustment, ...] = ()) -> Decimal | None:
    """The lines' amounts, with the document's own allowances and charges. None when there is no line or one has no
    amount."""
    amounts = line_amounts(lines)
    return adjusted(added(amounts), adjustments) if amounts else None


def unknown_amounts(lines: Sequence[Line], adjustments: tuple[Adjustment, ...] = ()) -> Iterator[tuple[str, str]]:
    """The lines that have a quantity and a price and no amount, and the document's own allowances and charges without a
    value: their place, and why."""
    for number, line in enumerate(lines):
        basis = line.price_basis
        odd = line.adjustments or (basis is not None and basis not in ALWAYS_KNOWN)
        if odd and (why := line.amount_unknown):
            yield f"lines[{number}]", why
    for number, one in enumerate(adjustments):
        if one.value(Decimal(0)) is None:
            yield f"adjustments[{number}]", UNKNOWN_RATE
