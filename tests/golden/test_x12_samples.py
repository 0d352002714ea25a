"""The public samples: exactly the documents that they are, or refused with exactly the error that they deserve.

Beside each other: `<set>/<name>.edi` of the samples, and `samples/<set>-<name>.expected`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.ports import FileBody
from hub.documents import from_json, to_json
from tests.golden.x12_files import SAMPLES, read

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the folder of public samples (../shared/samples) isn't here"
)

EXPECTED = Path(__file__).parent / "samples"
FILES = sorted(SAMPLES.rglob("*.edi"))


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_sample_is_read_or_refused_as_it_deserves(path: Path) -> None:
    found = []
    for reading in read(FileBody(path)):
        document, error = reading.document, reading.error
        if document is not None:
            assert from_json(to_json(document)) == document
        said = to_json(document).decode() if document else f"! {error.x12_code if error else ''} {error}"
        found.append(f"{'/'.join(reading.position)} {said}")
    assert found == (EXPECTED / f"{name(path)}.expected").read_text("utf-8").splitlines()


def test_every_sample_has_what_is_expected_of_it() -> None:
    assert {name(path) for path in FILES} == {path.stem for path in EXPECTED.glob("*.expected")}
