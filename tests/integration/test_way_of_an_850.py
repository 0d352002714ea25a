"""An 850 goes through each file of the runtime in one stage: what a file does, a reader learns in one visit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.way import ROOT, STAGES, Entered, RecordedWay, files_on_page, record_way

ALLOWED = {
    "hub/runtime/placing.py": "publishes",
    "hub/runtime/boundary.py": "the one place that keeps errors of plug-ins: a value of every call of theirs",
    "hub/runtime/tally.py": "numbers that the scrape reads",
    "hub/runtime/runtime.py": "the values of a site: what is open of it",
    "hub/runtime/position.py": "a value: where a reading stands",
    "hub/runtime/copy.py": "a value: the copy, and what is packed in it",
    "hub/runtime/intake/document_found.py": "a value: the document with its facts",
    "hub/runtime/intake/arrival_terms.py": "a value: what the source knows beside the bytes",
    "hub/runtime/intake/arrival_reader.py Visit.": "a value: one arrival while it is taken",
}
"""What may be entered again: commit, publish and values."""


async def test_no_file_of_the_runtime_is_entered_again_by_a_later_stage(tmp_path: Path) -> None:
    way = await record_way(tmp_path)
    assert [entered for entered in way.entered_again() if not entered.startswith(tuple(ALLOWED))] == []
    assert set(STAGES) <= set(way.files)
    assert compared(files_on_page()) == compared(way.files), (
        "docs/architecture.md doesn't list what was entered; `python -m tests.support.way` writes the list"
    )
    assert [file for file in files_on_page() if not (Path(ROOT) / file).is_file()] == []


def compared(files: Iterable[str]) -> set[str]:
    """The files that are entered however quick the broker and the database are."""
    return {file for file in files if file.startswith(("hub/runtime/", "adapters/", "transformers/"))}


@pytest.mark.parametrize(
    ("file", "stage", "again"),
    [
        ("hub/runtime/intake/source_steps.py", "hub/runtime/intake/arrival_reader.py", False),
        ("hub/runtime/intake/source_steps.py", "hub/runtime/delivery/worker.py", True),
        ("hub/runtime/intake/router.py", "hub/runtime/intake/intake.py", False),
        ("hub/runtime/intake/router.py", "hub/runtime/delivery/worker.py", True),
        ("hub/core/message.py", "hub/runtime/delivery/worker.py", False),
    ],
)
def test_an_entry_of_a_later_stage_would_be_found(file: str, stage: str, again: bool) -> None:
    way = RecordedWay()
    way.entered = [
        Entered("hub/runtime/intake/source_steps.py", "ahead", STAGES["hub/runtime/intake/arrival_reader.py"]),
        Entered(file, "f", STAGES[stage]),
    ]
    assert way.entered_again() == ([f"{file} f"] if again else [])
