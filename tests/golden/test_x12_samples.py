"""The public samples: read, or refused with exactly the error that they deserve."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.ports import FileBody
from hub.documents import from_json, to_json
from tests.golden.x12_files import SAMPLES, read

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the folder of public samples (../shared/samples) isn't here"
)

Outcome = tuple[str, str]

# per file: each transaction as (position, number of the document) or (position, "!" and the code of the error)
EXPECTED: dict[str, list[Outcome]] = {
    "810/freight_bill_two_invoices.edi": [("1/1/1", "654983115"), ("1/1/2", "658089516")],
    "810/medical_supply_caret_pipe_newline.edi": [("1/1/1", "12973821")],
    "810/wrong_se01_crlf_terminator.edi": [("1/1/1", "!4")],
    "846/inventory_460kb_4010.edi": [("1/1/1", "!2")],
    "850/dropship_six_orders_blank_lines.edi": [(f"1/1/{n}", f"0000000739{7107 + n}") for n in range(1, 7)],
    "850/dropship_two_orders.edi": [("1/1/1", "00000007283025"), ("1/1/2", "00000007283026")],
    "850/retail_newline_terminator.edi": [("1/1/1", "08292233294")],
    "850/retail_widgets_4010vics.edi": [("1/1/1", "08292233294")],
    "850/short_newline_terminator.edi": [("1/1/1", "----------")],
    "850/single_dropship.edi": [("1/1/1", "00000007283030")],
    "850/tilde_component_crlf_terminator.edi": [("1/1/1", "PONBR123")],
    "850/two_groups_mixed_sets.edi": [("1/1/1", "!3"), ("1/1/2", "!1"), ("1/2/1", "!3")],
    "850/two_interchanges.edi": [("1/1/1", "08292233294"), ("2/1/1", "08292233294")],
    "850/wrong_se01_newline.edi": [("1/1/1", "!4")],
    "855/order_ack_4010.edi": [("1/1/1", "POTEST1112")],
    "855/order_ack_5010.edi": [("1/1/1", "365465413")],
    "856/ship_notice_SOI_4060.edi": [("1/1/1", "829716")],
    "860/two_changes.edi": [("1/1/1", "PO001"), ("1/1/2", "PO002")],
    "997/backslash_terminator.edi": [("1/1/1", "100043")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_is_read_or_refused_as_it_deserves(name: str) -> None:
    found: list[Outcome] = []
    for reading in read(FileBody(SAMPLES / name)):
        document, error = reading.document, reading.error
        if document is not None:
            assert from_json(to_json(document)) == document
        found.append(
            ("/".join(reading.position), document.number if document else f"!{error.x12_code if error else None}")
        )
    assert found == EXPECTED[name]


def test_every_sample_is_tested() -> None:
    assert {str(path.relative_to(SAMPLES)) for path in Path(SAMPLES).rglob("*.edi")} == set(EXPECTED)
