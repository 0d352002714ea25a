"""Totals and counts: those that contradict their lines are told, in what comes in and in what goes out; `total` follows
the standard."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.core.agreement import Acknowledge, Agreement, InterchangeId
from hub.core.errors import MappingError
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, Reading
from hub.documents import ApplicationAdvice, Document, FunctionalAcknowledgment, from_foreign_json
from tests.golden.x12_files import read
from tests.unit.transformers.x12_text import interchange
from transformers.x12 import X12Reader
from transformers.x12.declarations.catalogue import NEWEST, set_declaration
from transformers.x12.lineage.inspection import TransactionSeen, inspect
from transformers.x12.terms.departures import departures
from transformers.x12.validation.totals import counted_elements, hash_of
from transformers.x12.writing.writer import write_interchange

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
TERMS = Agreement(
    "ACME",
    (InterchangeId("01", "043645501"),),
    InterchangeId("01", "068717859"),
    acknowledge=Acknowledge(),
    send=("810", "850", "824"),
)

ORDER = ("850", "BEG*00*SA*PO1**20260105")
INVOICE = ("810", "BIG*20260105*I1*20260101*PO1")
ACKNOWLEDGMENT = ("855", "BAK*00*AD*PO1*20260105")
CHANGE = ("860", "BCH*05*SA*PO1***20260105")
NOTICE = ("856", "BSN*00*S1*20260105*1000*0004", "HL*1**S", "HL*2*1*O", "PRF*PO1", "HL*3*2*I", "LIN**UP*012345678905")
STOCK = ("846", "BIA*00*DD*R1*20260105", "LIN*1*UP*012345678905", "QTY*33*12*EA", "LIN*2*VN*A2", "QTY*33*3.5*EA")
WAREHOUSE = ("940", "W05*N*D1", "N1*ST*X", "LX*1", "W01*12*CA**VN*A1")
SHIPPED = ("945", "W06*F*D1*20260105", "N1*ST*X", "LX*1", "W12*CC*12*12**CA**VN*A1")
RECEIPT = ("861", "BRA*R1*20260311*00*1", "DTM*050*20260311", "RCD*1*22*CA", "LIN**UP*1", "RCD*2*1.5*CA", "LIN**UP*2")
FORECAST = (
    *(
        "830",
        "BFR*00*F1**DL*A*20260302*20260531*20260301",
        "LIN*1*VN*A1",
        "FST*120*C*W*20260309",
        "FST*96*D*W*20260316",
    ),
    *("LIN*2*VN*A2", "SDP*Y*F", "FST*20*D*M*20260501"),
)
SCHEDULE = (
    "862",
    "BSS*05*S1*20260303*DL*20260304*20260306*13",
    "LIN**VN*A1",
    "UIT*EA",
    "FST*60*C*D*20260304",
    "JIT*30*0700",
)
RESALE = (
    *("867", "BPT*00*P1*20260303", "PTD*SD", "QTY*32*24*CA", "LIN*1*VN*A1", "QTY*32*10*CA", "LIN*2*VN*A2"),
    *("PTD*SS", "QTY*76*1*CA", "LIN**VN*A1"),
)
STOCKED = ("944", "W17*F*20260304*R1", "N1*WH*X", "W07*118*CA**VN*A1", "W13*2*CA*01", "W07*60*CA**VN*A2")
GROUPED = ("944", "W17*F*20260304*R1", "N1*WH*X", "LX*1", "W07*118*CA**VN*A1", "LX*2", "W07*60*CA**VN*A2")
PAYMENT = (
    *("ENT*1", "ADX*-120.5*CS", "RMR*IV*I1**9000*9184.25*184.25", "ADX*-15.5*01", "RMR*CM*C1**-57.19", "ENT*2"),
    "RMR*IV*I2**9600",
)
TAXES = ("TXP*911234567*0115*20260331*T*120000*P*3000*I*150",)


def paid(amount: str, *segments: str, sign: str = "C") -> tuple[str, ...]:
    return ("820", f"BPR*C*{amount}*{sign}*CHK", *segments)


def body(name: str, *segments: str) -> bytes:
    inner = [f"ST*{name}*0001", *segments]
    text = interchange([[*inner, f"SE*{len(inner) + 1}*0001"]])
    return text.replace("GS*PO", f"GS*{set_declaration(name, NEWEST).group}").encode()


def one(*segments: str) -> Reading:
    (reading,) = read(body(*segments))
    assert reading.document is not None, reading.error
    return reading


def lines(*each: str) -> tuple[str, ...]:
    return tuple(f"PO1*{number}*{text}" for number, text in enumerate(each, 1))


TOTALS = [
    pytest.param((*lines("10*CA*10.00**VN*A1"), "SAC*A*C310***2000*******01"), "100", id="billback"),
    pytest.param((*lines("1000*EA*5.50*HP*VN*A1"),), "55", id="hp"),
    pytest.param((*lines("1000*EA*5.50*NC*VN*A1"),), "0", id="nc"),
    pytest.param((*lines("10*CA*1.50*PE*VN*A1"), "PO4*12*1*EA"), "180", id="pe-case"),
    pytest.param((*lines("10*CS*1.50*PE*VN*A1"), "PO4*12*1*EA"), "180", id="pe-cassette"),
    pytest.param((*lines("10*CA*10.00**VN*A1"), "SAC*A*C310******1.00*CA*10**02"), "90", id="sac-rate"),
    pytest.param((*lines("10*CA*10.00**VN*A1"), "CTT*1", "AMT*TT*5.00"), "5", id="stated"),
    pytest.param((*lines("10*CA*10.00*WI*VN*A1"),), None, id="unknown-basis"),
    pytest.param(("SAC*C*D240******1.00", *lines("10*CA*10.00**VN*A1")), None, id="unknown-rate"),
]


@pytest.mark.parametrize(("segments", "total"), TOTALS)
def test_the_total_follows_the_standard(segments: tuple[str, ...], total: str | None) -> None:
    reading = one(*ORDER, *segments)
    assert reading.document is not None
    assert reading.document.total == (None if total is None else Decimal(total))
    unknown = [text for text in reading.warnings if text.endswith("no total can be computed from the lines")]
    assert len(unknown) == (total is None)


def test_warnings_of_thousands_of_lines_are_bounded_and_hide_no_contradiction() -> None:
    reading = one(*ORDER, *lines(*(f"1*EA*1*WI*VN*A{number}" for number in range(3000))), "CTT*2999")
    assert len(reading.warnings) == 102
    assert reading.warnings[0].startswith("CTT01 is 2999")
    assert reading.warnings[-1] == "2900 more warnings like these"


WRONG = [
    pytest.param(
        (*ORDER, *lines("10*EA*5.50**VN*A1", "10*EA*1.00**VN*A2"), "CTT*5*100", "AMT*TT*999.99"),
        [
            "CTT01 is 5, and the number of lines is 2 (totals.lines)",
            "CTT02 is 100, and lines.quantity adds up to 20 (totals.quantity)",
            "AMT02 (TT) is 999.99, and the lines come to 65.00 (amounts[0])",
        ],
        ["CTT*2*20", "AMT*TT*999.99"],
        id="850",
    ),
    pytest.param(
        (*INVOICE, "IT1*1*10*EA*5.50**VN*A1", "TDS*9999", "CTT*4*100"),
        [
            "CTT01 is 4, and the number of lines is 1 (totals.lines)",
            "CTT02 is 100, and lines.quantity adds up to 10 (totals.quantity)",
            "TDS01 is 99.99, and the lines come to 55.00 (totals.amount)",
        ],
        ["TDS*9999", "CTT*1*10"],
        id="810",
    ),
    pytest.param(
        (*NOTICE, "SN1**5*EA", "CTT*9*77"),
        [
            "CTT01 is 9, and the number of levels is 3 (line_count)",
            "CTT02 is 77, and levels.quantity adds up to 5 (quantity)",
        ],
        ["CTT*3*5"],
        id="856",
    ),
    pytest.param(
        (*ACKNOWLEDGMENT, *lines("10*EA*5.50**VN*A1"), "ACK*IA*8*EA", "CTT*2*9", "AMT*TT*5"),
        [
            "CTT01 is 2, and the number of lines is 1 (totals.lines)",
            "CTT02 is 9, and lines.quantity adds up to 10 (totals.quantity)",
            "AMT02 (TT) is 5, and the lines come to 55.00 (amounts[0])",
        ],
        ["CTT*1*10", "AMT*TT*5"],
        id="855",
    ),
    pytest.param(
        (*CHANGE, "POC*1*AI*10*10*EA*5.50**VN*A1", "CTT*2*11", "AMT*TT*5"),
        [
            "CTT01 is 2, and the number of lines is 1 (totals.lines)",
            "CTT02 is 11, and lines.quantity adds up to 10 (totals.quantity)",
            "AMT02 (TT) is 5, and the lines come to 55.00 (amounts[0])",
        ],
        ["CTT*1*10", "AMT*TT*5"],
        id="860",
    ),
    pytest.param(
        (*STOCK, "CTT*3*16"),
        [
            "CTT01 is 3, and the number of items is 2 (line_count)",
            "CTT02 is 16, and items.quantities.value adds up to 15.5 (hash_total)",
        ],
        ["CTT*2*15.5"],
        id="846",
    ),
    pytest.param(
        (*WAREHOUSE, "W76*13"),
        ["W7601 is 13, and groups.lines.quantity adds up to 12 (totals.quantity)"],
        ["W76*12"],
        id="940",
    ),
    pytest.param(
        (*SHIPPED, "W03*11"),
        ["W0301 is 11, and groups.lines.shipped adds up to 12 (totals.units)"],
        ["W03*12"],
        id="945",
    ),
    pytest.param(
        (*RECEIPT, "CTT*2*24"),
        ["CTT02 is 24, and lines.quantity adds up to 23.5 (hash_total)"],
        ["CTT*2*23.5"],
        id="861",
    ),
    pytest.param(
        (*FORECAST, "CTT*3*216"),
        [
            "CTT01 is 3, and the number of items is 2 (line_count)",
            "CTT02 is 216, and items.all_forecasts.quantity adds up to 236 (hash_total)",
        ],
        ["CTT*2*236"],
        id="830",
    ),
    pytest.param(
        (*SCHEDULE, "CTT*1*90"),
        ["CTT02 is 90, and items.all_forecasts.quantity adds up to 60 (hash_total)"],
        ["CTT*1*60"],
        id="862",
    ),
    pytest.param(
        (*RESALE, "CTT*4*36"),
        [
            "CTT01 is 4, and the number of transfers is 2 (line_count)",
            "CTT02 is 36, and transfers.items.value adds up to 35 (hash_total)",
        ],
        ["CTT*2*35"],
        id="867",
    ),
    pytest.param(
        (*STOCKED, "W14*180"),
        ["W1401 is 180, and all_lines.quantity adds up to 178 (totals.received)"],
        ["W14*178"],
        id="944",
    ),
    pytest.param(
        paid("18422.32", *PAYMENT),
        ["BPR02 is 18422.32, and the items come to 18422.31 (amount)"],
        ["BPR*C*18422.32*C*CHK"],
        id="820",
    ),
    pytest.param(
        paid("120", *TAXES), ["BPR02 is 120, and the items come to 1231.50 (amount)"], ["BPR*C*120*C*CHK"], id="820-tax"
    ),
]


@pytest.mark.parametrize(("segments", "warnings", "written"), WRONG)
def test_what_contradicts_the_lines_is_told_and_counts_are_never_copied(
    segments: tuple[str, ...], warnings: list[str], written: list[str]
) -> None:
    reading = one(*segments)
    assert list(reading.warnings) == warnings
    (seen,) = [
        each for each in inspect(BytesBody(body(*segments)), PartnerDirectory()) if isinstance(each, TransactionSeen)
    ]
    assert (seen.status, list(seen.read.warnings)) == ("accepted", warnings)
    assert [each.text for each in departures(BytesBody(body(*segments)), TERMS) if each.note] == warnings
    assert reading.document is not None
    made = write_interchange([reading.document], replace(TERMS, send=()), 1, AT)
    assert [text.removesuffix("; it was counted anew") for text in made.warnings] == warnings
    found = re.findall(r"(?:CTT|AMT|TDS|W76|W03|W14|BPR)\*[^~]*", made.body.decode())
    assert found == written


RIGHT = [
    pytest.param(
        (*ORDER, *lines("10*EA*5.50**VN*A1", "2.5*EA*2.00**VN*A2"), "CTT*2*12.5", "AMT*TT*60"), id="plain-sum"
    ),
    pytest.param((*ORDER, *lines("10*EA*5.50**VN*A1", "2.5*EA*2.00**VN*A2"), "CTT*2*35", "AMT*TT*60.00"), id="hash"),
    pytest.param((*ORDER, *lines("3*EA*.333**VN*A1", "3*EA*.333**VN*A2"), "CTT*2", "AMT*TT*2"), id="rounded-lines"),
    pytest.param(
        (*INVOICE, "IT1*1*10*EA*5.50**VN*A1", "TXI*ST*3.30", "TXI*ST*3.30", "TDS*5830", "TXI*ST*3.30", "CTT*1"),
        id="tax-at-both",
    ),
    pytest.param((*INVOICE[:1], f"{INVOICE[1]}***CR", "IT1*1*10*EA*5.50**VN*A1", "TDS*-5500"), id="credit"),
    pytest.param(
        (*CHANGE[:1], "BCH*04*SA*PO1***20260105", "POC*1*AI*1*1*EA*5.50**VN*A1", "CTT*1", "AMT*TT*500"), id="part"
    ),
    pytest.param((*ACKNOWLEDGMENT, *lines("10*EA*5.50**VN*A1"), "ACK*IA*8*EA", "CTT*1*8"), id="acknowledged"),
    pytest.param((*STOCK, "CTT*2*47"), id="846-hash"),
    pytest.param((*ORDER, *lines("10*EA***VN*A1"), "CTT*1", "AMT*TT*500"), id="no-prices"),
    pytest.param((*RECEIPT, "CTT*2*37"), id="861-hash"),
    pytest.param((*FORECAST, "CTT*2*236"), id="830-patterns"),
    pytest.param((*SCHEDULE, "CTT*1*60"), id="862-without-jit"),
    pytest.param((*RESALE, "CTT*3*35"), id="867-items"),
    pytest.param((*RESALE, "CTT*2"), id="867-transfers"),
    pytest.param((*STOCKED, "W14*178"), id="944-lines"),
    pytest.param(paid("18422.31", *PAYMENT), id="820-net"),
    pytest.param(paid("18406.81", *PAYMENT), id="820-less-the-adjustments-of-items"),
    pytest.param(paid("18542.81", *PAYMENT), id="820-without-adjustments"),
    pytest.param(paid("19653.81", *PAYMENT, *TAXES), id="820-with-taxes"),
    pytest.param(paid("1231.5", *TAXES), id="820-taxes"),
    pytest.param(paid("50", "ENT*1", "RMR*IV*I1**-50", sign="D"), id="820-debit"),
]


@pytest.mark.parametrize("segments", RIGHT)
def test_what_partners_may_send_is_right(segments: tuple[str, ...]) -> None:
    reading = one(*segments)
    assert reading.warnings == ()
    assert reading.document is not None
    made = write_interchange([reading.document], replace(TERMS, send=()), 1, AT)
    assert made.warnings == ()
    ours = ["CTT*1"] if segments[0] in ("810", "850") else []
    wanted = [text for text in segments if text.startswith(("CTT", "W14", "BPR"))]
    assert [text for text in made.body.decode().split("~") if text.startswith(("CTT", "W14", "BPR"))] == (
        wanted or ours
    )


UNCHECKED = [
    pytest.param(paid("1", *PAYMENT, "DED*CS*C-1*20260312*9000*R-1*Y"), id="820-deductions-that-no-field-holds"),
    pytest.param(paid("1", "ENT*1", "RMR*IV*I1***4750"), id="820-an-item-of-which-nothing-is-paid"),
    pytest.param(paid("1"), id="820-payment-only"),
    pytest.param(("852", "XQ*H*20260223*20260301", "LIN*1*UP*1", "ZA*QS*21*CA", "CTT*1*7"), id="852-ctt02"),
    pytest.param(("832", "BCT*PC*1", "LIN**VN*A1", "CTP**WHL*5", "CTT*1*7"), id="832-ctt02"),
    pytest.param(("870", "BSR*2*PA*S1*20260310", "HL*1**O", "PO1*1*24*CA", "ISR*BP*20260312", "CTT*9*7"), id="870-ctt"),
]


@pytest.mark.parametrize("segments", UNCHECKED)
def test_what_nobody_can_say_is_not_checked(segments: tuple[str, ...]) -> None:
    reading = one(*segments)
    assert reading.warnings == ()
    assert reading.document is not None
    made = write_interchange([reading.document], replace(TERMS, send=()), 1, AT)
    assert made.warnings == ()
    assert [text for text in made.body.decode().split("~") if text == segments[-1]] == [segments[-1]]


def test_a_total_of_groups_adds_the_lines_of_all() -> None:
    data = body(*GROUPED, "W14*177").replace(b"*004010", b"*005010").replace(b"*U*00401*", b"*^*00501*")
    (reading,) = read(data)
    assert reading.warnings == ("W1401 is 177, and all_lines.quantity adds up to 178 (totals.received)",)


def test_the_hash_total_is_that_of_the_standard() -> None:
    values = [Decimal(text) for text in ("-.0018", ".18", "1.8", "18.01")]
    assert (hash_of(values, 10), hash_of(values, 3)) == (1855, 855)


def test_a_sum_that_is_too_long_for_its_element_leaves_as_a_hash_total() -> None:
    reading = one(*ORDER, *lines("999999999*EA*1**VN*A1", "1.23456789*EA*1**VN*A2"), "CTT*2*1")
    assert reading.document is not None
    made = write_interchange([reading.document], replace(TERMS, send=()), 1, AT)
    assert b"CTT*2*1123456788~" in made.body
    assert one_of(made.body).warnings == ()


def one_of(data: bytes) -> Reading:
    (reading,) = read(data)
    return reading


def test_an_invoice_of_our_own_is_told_to_be_wrong_when_it_is_written() -> None:
    document = from_foreign_json(
        b'{"document": "invoice@1", "number": "INV50", "date": "2026-01-05", "order_number": "PO1", "lines":'
        b' [{"number": "1", "quantity": "10", "unit": "EA", "price": "9.588", "products": {"VN": "A1"}}], "totals":'
        b' {"amount": "1.00", "lines": 7}}'
    )
    made = write_interchange([document], TERMS, 1, AT)
    assert made.warnings == (
        "CTT01 is 7, and the number of lines is 1 (totals.lines); it was counted anew",
        "TDS01 is 1.00, and the lines come to 95.880 (totals.amount)",
    )
    assert b"TDS*100~CTT*1~" in made.body
    with pytest.raises(MappingError, match=r"totals: refuse\): CTT01 is 7, .*; 1 more"):
        write_interchange([document], replace(TERMS, totals="refuse"), 1, AT)


BAD = (*ORDER, *lines("10*EA*5.50**VN*A1"), "CTT*5", "AMT*TT*999.99")


def answered(agreement: Agreement, *segments: str) -> tuple[Reading, list[Document]]:
    first, *rest = X12Reader(PartnerDirectory([agreement])).read(BytesBody(body(*segments)))
    return first, [reading.document for reading in rest if reading.document is not None]


def test_what_the_agreement_refuses_is_a_dead_letter_that_the_997_accepts_and_an_824_explains() -> None:
    refusing = replace(TERMS, totals="refuse")
    reading, said = answered(refusing, *BAD)
    assert reading.document is None
    assert "CTT01 is 5, and the number of lines is 1 (totals.lines); 1 more (at CTT[4], element CTT01" in str(
        reading.error
    )
    assert reading.envelope["number"] == "PO1"
    advice, acknowledgment = said
    assert isinstance(acknowledgment, FunctionalAcknowledgment)
    assert (acknowledgment.status, acknowledgment.accepted) == ("A", 1)
    assert isinstance(advice, ApplicationAdvice)
    (transaction,) = advice.transactions
    assert (transaction.result, transaction.qualifier, transaction.reference) == ("TR", "PO", "PO1")
    assert [(e.code, e.segment, e.position, e.element, e.value) for e in transaction.errors] == [
        ("010", "CTT", 4, 1, "5"),
        ("010", "AMT", 5, 2, "999.99"),
    ]
    made = write_interchange([advice], refusing, 1, AT)
    assert b"BGN*00*1-0001*20260302~OTI*TR*PO*PO1*043645501*068717859***1*0001*850~" in made.body
    assert b"TED*010*CTT01 is 5, and the number of lines is 1*CTT*4*1*354*5~" in made.body


def test_without_an_824_in_send_nothing_is_said_and_a_sound_file_is_taken() -> None:
    refusing = replace(TERMS, totals="refuse", send=("810",))
    assert [type(one) for one in answered(refusing, *BAD)[1]] == [FunctionalAcknowledgment]
    reading, said = answered(replace(TERMS, totals="refuse"), *ORDER, *lines("10*EA*5.50**VN*A1"), "CTT*1")
    assert reading.document is not None
    assert [type(one) for one in said] == [FunctionalAcknowledgment]


@pytest.mark.parametrize("totals", ["refuse", "hold"])
def test_what_is_refused_or_held_departs_from_the_agreement(totals: str) -> None:
    agreement = replace(TERMS, totals=totals, totals_hold="wrong_totals")  # type: ignore[arg-type]
    found = [each for each in departures(BytesBody(body(*BAD)), agreement) if not each.note]
    assert [(each.kind, each.finding and each.finding.where) for each in found] == [
        ("totals", "CTT01"),
        ("totals", "AMT02"),
    ]


def test_every_ctt_counts_what_it_says() -> None:
    for kind in ("order", "invoice", "ship_notice", "order_change", "inventory_advice", "price_catalog"):
        assert {each.element for each in counted_elements(kind) if each.segment == "CTT"} >= {1}
