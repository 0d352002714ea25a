"""X12 text for tests: envelopes with counts that are right."""

from __future__ import annotations

from collections.abc import Sequence

LINE = ("PO1*{n}*24*EA*12.75*PE*UP*036000291452*VN*HMR-16OZ", "PID*F****CLAW HAMMER 16 OZ")


def transaction(number: str, lines: int = 1, control: str = "0001", extra: Sequence[str] = ()) -> list[str]:
    """An 850, from ST to SE."""
    segments = [f"ST*850*{control}", f"BEG*00*SA*{number}**20260302", "CUR*BY*USD", *extra]
    for n in range(1, lines + 1):
        segments += [text.format(n=n) for text in LINE]
    segments.append(f"CTT*{lines}")
    return [*segments, f"SE*{len(segments) + 1}*{control}"]


def interchange(
    *groups: Sequence[Sequence[str]], control: int = 7, test: bool = False, sender: str = "043645501"
) -> str:
    """An interchange of groups of transactions."""
    mark = "T" if test else "P"
    out = [
        f"ISA*00*          *00*          *01*{sender:15}*01*068717859      *260302*0815*U*00401*{control:09}*0*{mark}*>"
    ]
    for number, group in enumerate(groups, 1):
        out.append(f"GS*PO*{sender}*068717859*20260302*0815*{number}*X*004010")
        for one in group:
            out.extend(one)
        out.append(f"GE*{len(group)}*{number}")
    out.append(f"IEA*{len(groups)}*{control:09}")
    return "".join(f"{segment}~\n" for segment in out)
