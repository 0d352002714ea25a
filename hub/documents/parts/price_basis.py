"""For how much of a line its price is: the basis of a unit price (X12 element 639), against the unit of the quantity
(element 355).

Sources of the codes and their names: the public dictionaries of release 004010 (data elements 355 and 639 at stedi.com,
kasoftware.com and ecomtoday.com). A basis or a unit that isn't here gives no amount: a wrong total would be worse than
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hub.documents.parts.goods import Packaging

ONE = Fraction(1)


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


OF_THE_UNIT = _codes("AA AP AW BD BR CA CP CT DI DR DS ES FX KA KP LR NE NT PQ PR PV QR QT RS RT SC SR ST SW UM VQ WH")
"""They say what kind of price it is (contract, retail, quoted, ...): it is for one unit of the line."""

FREE = "NC"
"""No charge: the line costs nothing, whatever its price says."""

PER_EACH = {
    **dict.fromkeys(("PE", "LE", "QE", "RE", "TE", "WE"), 1),
    "PN": 10,
    **dict.fromkeys(("PD", "LD", "RD", "TD", "WD"), 12),
}
"""Prices for so many pieces. Where the unit is a container, they are for what is in it."""

PER_UNITS = {
    **dict.fromkeys(("HP", "LC", "QH", "RC", "TC", "WC"), 100),
    **dict.fromkeys(("TP", "LM", "QS", "RM", "TM", "WM"), 1000),
    "TT": 10_000,
    "HT": 100_000,
}
"""Prices for so many units of the line, or pieces where the unit is a number of them (a dozen)."""

MEASURES = {
    "PP": {"LB": ONE},
    "PO": {"OZ": ONE},
    "PK": {"KG": ONE},
    "PG": {"GR": ONE},
    "PT": {"TN": ONE, "NS": ONE, "LG": ONE, "MP": ONE},
    "PL": {"LT": ONE},
    "ML": {"ML": ONE},
    "PF": {"FT": ONE, "LF": ONE},
    "PY": {"YD": ONE, "LY": ONE},
    "HF": {"FT": Fraction(1, 100), "LF": Fraction(1, 100), "HF": ONE},
    "TF": {"FT": Fraction(1, 1000), "LF": Fraction(1, 1000)},
}
"""Prices of a measure, and the units in which a quantity has that measure: how much of it one of them is."""

NUMBERS = {
    "QD": 3,
    "HD": 6,
    "DZ": 12,
    "AX": 20,
    "Q7": 24,
    "Q5": 25,
    "Q6": 36,
    "HC": 100,
    "HU": 100,
    "GS": 144,
    "TH": 1000,
    "GG": 1728,
    "OP": 2,
    **{f"P{number}": number for number in range(3, 10)},
    "TP": 10,
    "EP": 11,
}
"""Units that are a number of pieces: a dozen, a gross, a six-pack."""

PIECES = _codes("EA PC UN ST KT PR SH RL")
"""Units that are one thing: each, piece, unit, set, kit, pair, sheet, roll."""

CONTAINERS = _codes(
    "12 AB BA BC BD BG BO BR BS BX CA CB CH CL CN CP CS CT CZ DR DS EV JR JU KE PA PF PH PK PL RA SJ SV TB TK TY"
)
"""Units in which others are packed: how many, PO4 says. CS is a cassette; many write it for a case, which is CA."""


ALWAYS_KNOWN = frozenset(
    (None, FREE, *OF_THE_UNIT, *PER_UNITS, *(basis for basis, pieces in PER_EACH.items() if pieces == 1))
)
"""Bases that give an amount whatever the unit is."""


@dataclass(frozen=True, slots=True)
class NoFactor:
    """Why nothing can be said."""

    why: str


def factor(basis: str, unit: str | None, packaging: Sequence[Packaging]) -> Fraction | NoFactor:
    """By what quantity times price is multiplied, so that it is the amount of the line."""
    if basis == FREE:
        return Fraction(0)
    if basis in OF_THE_UNIT:
        return ONE
    if basis in PER_UNITS:
        return Fraction(NUMBERS.get(unit or "", 1), PER_UNITS[basis])
    if basis in PER_EACH:
        pieces = _pieces(basis, unit, packaging)
        return pieces if isinstance(pieces, NoFactor) else pieces / PER_EACH[basis]
    known = MEASURES.get(basis)
    if known is None:
        return NoFactor(f"the price basis {basis} isn't in the table")
    return known.get(unit or "") or NoFactor(f"the price basis {basis} doesn't fit the unit {unit or '(none)'}")


def _pieces(basis: str, unit: str | None, packaging: Sequence[Packaging]) -> Fraction | NoFactor:
    """How many pieces one unit holds. `pack` counts the inner containers of a container, and the pieces where there are
    none. Of a container of which no pack is stated, and of a measure, a price for each is for the unit: senders write
    it so."""
    if unit is None or unit in PIECES:
        return ONE
    if unit in NUMBERS:
        return Fraction(NUMBERS[unit])
    packed = next((one for one in packaging if one.pack is not None), None) if unit in CONTAINERS else None
    if packed is None or packed.pack is None:
        if PER_EACH[basis] == 1:
            return ONE
        return NoFactor(f"the price basis {basis} is for pieces, and nothing says how many are in one {unit} (PO401)")
    return Fraction(packed.pack * (packed.inner_pack or 1))
