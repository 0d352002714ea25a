"""What writing X12 costs, and saying which bytes gave which field, beside reading the same file.

    python -m benchmarks.x12_both_ways            a table: writing at 1 and 10 MB, lineage at 1, 10 and 100 MB
    python -m benchmarks.x12_both_ways --mb 1 --json

Writing includes reading back and comparing what was written. Lineage is that of every transaction of the file, in one
pass, for each field its segment, element and bytes. CPU seconds of this process; the ratios say more than the rates.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.x12_reading import write_file
from hub.core.agreement import Agreement, InterchangeId
from hub.core.partners import PartnerDirectory
from hub.core.ports import FileBody
from transformers.x12 import X12Reader
from transformers.x12.writing.writer import write_interchange

US = Agreement("ACME", (InterchangeId("01", "043645501"),), InterchangeId("01", "068717859"))
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
MOST_WRITTEN = 10
"""Megabytes: what is written is in memory, as documents."""


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def run(megabytes: float, folder: Path) -> dict[str, Any]:
    path = folder / f"{megabytes:g}.edi"
    segments = write_file(path, megabytes)
    size = path.stat().st_size / 1e6
    reader = X12Reader(PartnerDirectory())
    reading, count = cpu(lambda: sum(1 for _ in reader.read(FileBody(path))))
    tracing, traced = cpu(lambda: sum(len(fields) for _, fields in reader.lineages(FileBody(path))))
    found = {
        "megabytes": round(size, 2),
        "segments": segments,
        "documents": count,
        "read_per_second": round(segments / reading),
        "lineage_mb_per_second": round(size / tracing, 2),
        "lineage_fields": traced,
        "lineage_times_of_reading": round(tracing / reading, 1),
    }
    if megabytes <= MOST_WRITTEN:
        documents = [one.document for one in reader.read(FileBody(path)) if one.document is not None]
        writing, written = cpu(lambda: write_interchange(documents, US, 7, AT))
        out = written.body.count(b"~")
        found |= {
            "written_per_second": round(out / writing),
            "writing_times_of_reading": round(writing / out / (reading / segments), 1),
        }
    path.unlink()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, action="append", help="size of the file; again for more (1, 10, 100)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [run(size, Path(folder)) for size in options.mb or (1, 10, 100)]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'MB':>7} {'read seg/s':>11} {'write seg/s':>12} {'x read':>7} {'lineage MB/s':>13} {'x read':>7}")
    for row in rows:
        print(
            f"{row['megabytes']:>7} {row['read_per_second']:>11,} {row.get('written_per_second', 0):>12,}"
            f" {row.get('writing_times_of_reading', '-'):>7} {row['lineage_mb_per_second']:>13}"
            f" {row['lineage_times_of_reading']:>7}"
        )


if __name__ == "__main__":
    main()
