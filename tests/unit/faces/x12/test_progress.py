"""How far a command is with a large file: by the work that is left."""

from __future__ import annotations

from hub.app.x12.x12_answers import answers
from hub.cli.x12.ack import PASSES
from hub.cli.x12.file import READ, SCAN, WatchedBody
from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody
from tests.unit.faces.x12.conftest import FILES
from transformers.x12.lineage.inspection import inspect
from transformers.x12.reading.reader import ONE_PASS

DATA = (FILES / "850-small.edi").read_bytes()


def test_an_inspection_is_done_when_all_of_its_work_was_told() -> None:
    told: list[int] = []
    list(inspect(WatchedBody(BytesBody(DATA * 50), told.append, [SCAN, READ]), PartnerDirectory()))
    assert sum(told) == (SCAN + READ) * len(DATA) * 50


def test_answers_are_done_when_all_of_their_work_was_told() -> None:
    told: list[int] = []
    large = DATA * (ONE_PASS // len(DATA) + 1)
    list(answers(WatchedBody(BytesBody(large), told.append, list(PASSES)), PartnerDirectory()))
    assert sum(told) == sum(PASSES) * len(large)


def test_a_scan_is_little_of_it_and_a_further_pass_nothing() -> None:
    told: list[int] = []
    body = WatchedBody(BytesBody(DATA), told.append, [SCAN, READ])
    for expected in (SCAN * len(DATA), READ * len(DATA), 0):
        told.clear()
        assert b"".join(body.chunks(100)) == DATA
        assert sum(told) == expected
