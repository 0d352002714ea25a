"""What payrolls, royalties, vehicle leases and rates add to a remittance (820): kept whole, and checked to the
element."""

from __future__ import annotations

import pytest

from hub.core.ports import Reading
from hub.documents import Remittance
from tests.golden.x12_files import read
from tests.unit.transformers.x12_text import interchange

LEASE = (
    "ENT*1",
    "RMR*IV*SN-1**9500",
    "VEH*1*1HGCM82633A004352*2026**HONDA*ACCORD***7**OH",
    "IT1*1*1*EA*9500",
    "RPA*BO*4750*1.5*EA",
)
PAYROLL = (
    "N9*EI*1",
    "N1*EY*JO DOE*34*123456789",
    "EMS*MACHINIST",
    "ATN*40*HR*99*4*REG*WEEK 9",
    "PYD*25.5*4*A*DENT*DENTAL",
)
ROYALTIES = ("RYL*1", "NM1*BE*2*SALT CREEK", "LOC*AA*A*WELL SITE 1***PO*2", "ASM*120050*C*5")


def remittance(*segments: str) -> Reading:
    """An 820 with these segments at its end."""
    inner = ["ST*820*0001", "BPR*I*9500*C*CHK************20260315", "TRN*3*004471", *segments]
    data = (
        interchange([[*inner, f"SE*{len(inner) + 1}*0001"]]).replace("GS*PO", "GS*RA").replace("*004010~", "*005010~")
    )
    (reading,) = read(data.encode())
    return reading


@pytest.mark.parametrize("segments", [LEASE, PAYROLL, ROYALTIES])
def test_they_are_kept_as_they_came(segments: tuple[str, ...]) -> None:
    reading = remittance(*segments)
    assert isinstance(reading.document, Remittance), reading.error
    assert not reading.warnings
    kept = {"*".join((extra.segment, *map(str, extra.elements))) for extra in reading.document.extras}
    assert {text for text in segments if text[:3] in ("VEH", "RPA", "ATN", "PYD", "LOC", "ASM")} <= kept


@pytest.mark.parametrize(
    ("wrong", "code", "element"),
    [
        ("VEH*1*1HGCM82633A004352*26", "4", "VEH03"),
        ("RPA**4750", "1", "RPA01"),
        ("ATN*MANY", "6", "ATN01"),
        ("PYD*25.5*WK", "5", "PYD02"),
        ("LOC*AA*A****PO", "2", "LOC07"),
        ("ASM*12.50", "6", "ASM01"),
    ],
)
def test_their_elements_are_checked(wrong: str, code: str, element: str) -> None:
    segments = next(s for s in (LEASE, PAYROLL, ROYALTIES) if any(text.startswith(wrong[:3]) for text in s))
    reading = remittance(*(wrong if text.startswith(wrong[:3]) else text for text in segments))
    assert reading.error is not None
    assert (reading.error.x12_code, reading.error.element) == (code, element)
