"""Interchanges that hold no group: refused as such, by TA1 where the partner asks for one, and no neighbour is
spoiled."""

from __future__ import annotations

import pytest

from hub.core.ports import BytesBody
from transformers.x12.envelope.scan import events
from transformers.x12.envelope.verdict import judge

TRANSACTION = ("ST*850*0001", "BEG*00*SA*1001**20260302", "SE*3*0001")


def interchange(*inner: str, groups: int, control: int = 1) -> bytes:
    isa = (
        f"ISA*00*{'':<10}*00*{'':<10}*01*{'043645501':<15}*01*{'068717859':<15}*260302*0815*U*00401*{control:09}*1*P*>"
    )
    return "".join(f"{one}~" for one in (isa, *inner, f"IEA*{groups}*{control:09}")).encode()


def group(control: int = 1) -> tuple[str, ...]:
    return (f"GS*PO*043645501*068717859*20260302*0815*{control}*X*004010", *TRANSACTION, f"GE*1*{control}")


@pytest.mark.parametrize(
    ("inner", "groups", "text"),
    [
        ((), 0, "the interchange holds no groups"),
        (TRANSACTION, 1, "the interchange holds transactions without a group"),
    ],
)
def test_an_interchange_without_a_group_is_refused_by_024(inner: tuple[str, ...], groups: int, text: str) -> None:
    verdict = judge(events(BytesBody(interchange(*inner, groups=groups) + interchange(*group(), groups=1, control=2))))
    assert [(n, error.x12_code, error.text) for n, error in verdict.interchanges.items()] == [(1, "024", text)]


def test_an_interchange_of_acknowledgments_alone_is_sound() -> None:
    verdict = judge(events(BytesBody(interchange("TA1*000000007*260302*0815*A*000", groups=0))))
    assert verdict.interchanges == {}


def test_strays_beside_a_group_spoil_no_group() -> None:
    verdict = judge(events(BytesBody(interchange(*TRANSACTION, *group(), groups=2))))
    assert verdict.interchanges == {}
    assert [(key, error.x12_code) for key, error in verdict.groups.items()] == [((1, 1), "024")]


def test_what_stands_in_no_group_is_noted_by_the_first_of_it() -> None:
    stray = (*group()[:-1], "GE*1*1", "GE*1*1", "XX*1")
    verdict = judge(events(BytesBody(interchange(*stray, groups=1) + interchange(*group(), groups=1, control=2))))
    assert (verdict.interchanges, verdict.groups, verdict.notes) == ({}, {}, {1: "022"})
