"""X12 850 interchanges for tests, of any number of orders."""

from __future__ import annotations

from collections.abc import Sequence


def orders_850(numbers: Sequence[str], control: int = 1, *, sender: str = "043645501", newline: str = "") -> bytes:
    """One interchange, one group, an order for each number."""
    isa = (
        f"ISA*00*          *00*          *01*{sender:<15}*01*{'068717859':<15}*260302*0815*U*00401*{control:09d}*0*P*>"
    )
    segments = [isa, f"GS*PO*{sender}*068717859*20260302*0815*{control}*X*004010"]
    for position, number in enumerate(numbers, 1):
        segments += [
            f"ST*850*{position:04d}",
            f"BEG*00*SA*{number}**20260302",
            "PO1*1*24*EA*12.75*PE*UP*036000291452",
            "CTT*1",
            f"SE*5*{position:04d}",
        ]
    segments += [f"GE*{len(numbers)}*{control}", f"IEA*1*{control:09d}"]
    return "".join(f"{segment}~{newline}" for segment in segments).encode()
