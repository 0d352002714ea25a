"""How fast, and in how little memory, the reader `x12` reads 850s: full validation and the canonical Order of each.

    python -m benchmarks.x12_reading            a table at 1, 10 and 100 MB
    python -m benchmarks.x12_reading --mb 10 --json

Each measure is a process of its own. Memory is the growth of the peak above the same process idle (modules loaded, the
set compiled, a small file read). `scan` is the splitting by envelopes alone. Beside it, in the same run and on the same
file: a bare `str.split` of the segments, and of the elements too; the ratios say more than the rates, which follow the
machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from hub.core.partners import PartnerDirectory
from hub.core.ports import BytesBody, FileBody

ROOT = Path(__file__).resolve().parents[1]
HEADER = "ISA*00*          *00*          *01*043645501      *01*068717859      *260302*0815*U*00401*000000001*0*P*>~"
SHIP_TO = (
    "N1*ST*ACME DISTRIBUTION CENTER {store}*92*{store:04}",
    "N3*{store} INDUSTRIAL PKWY*DOCK 7",
    "N4*COLUMBUS*OH*43228*US",
)


def order(dice: Random, number: int) -> list[str]:
    """One 850 of 3 to 60 lines, of the kind that retailers send: no two alike."""
    store = dice.randint(1, 900)
    segments = [
        f"ST*850*{number % 10**9:04}",
        f"BEG*00*SA*PO{number:08}**202603{dice.randint(1, 28):02}",
        "CUR*BY*USD",
        f"REF*DP*{dice.randint(1, 99):03}",
        f"REF*IA*{dice.randint(10000, 99999)}",
        "ITD*01*3*2**10**30",
        f"DTM*002*202604{dice.randint(1, 28):02}",
        "TD5*B*2*FDEG*M*FEDEX GROUND",
        *(text.format(store=store) for text in SHIP_TO),
    ]
    lines = dice.randint(3, 60)
    for n in range(1, lines + 1):
        upc, part = dice.randint(10**10, 10**11), dice.randint(1000, 99999)
        price = f"{dice.randint(1, 400)}.{dice.randint(0, 99):02}"
        segments += [
            f"PO1*{n}*{dice.randint(1, 500)}*EA*{price}*PE*UP*{upc:012}*VN*HB-{part}*BP*{part * 7}",
            f"PID*F****ITEM {part} ASSORTED {dice.randint(1, 9)} IN",
            f"PO4*{dice.randint(1, 24)}*1*EA",
        ]
    segments.append(f"CTT*{lines}")
    return [*segments, f"SE*{len(segments) + 1}*{number % 10**9:04}"]


def write_file(path: Path, megabytes: float) -> int:
    """An interchange of about that size; the number of its segments."""
    dice = Random(850)
    count = size = written = 0
    with path.open("w") as out:
        out.write(HEADER + "\nGS*PO*043645501*068717859*20260302*0815*1*X*004010~\n")
        while size < megabytes * 1e6:
            count += 1
            segments = order(dice, count)
            written += len(segments)
            size += out.write("~\n".join(segments) + "~\n")
        out.write(f"GE*{count}*1~\nIEA*1*000000001~\n")
    return written + 4


def memory_kb(name: str) -> int:
    """VmRSS, what this process holds now; VmHWM, the most that it has held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name))


def measure_reader(path: Path, segments: int) -> dict[str, Any]:
    """Reads the file, in this process."""
    from transformers.x12 import X12Reader

    reader = X12Reader(PartnerDirectory())
    warm = Path(__file__).resolve().parents[1] / "routes" / "fixtures" / "acme-850-small.edi"
    for _ in range(50):
        list(reader.read(BytesBody(warm.read_bytes())))
    idle = memory_kb("VmRSS")
    began, cpu = time.perf_counter(), time.process_time()
    documents = errors = 0
    for reading in reader.read(FileBody(path)):
        documents += reading.document is not None
        errors += reading.error is not None
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    if errors or not documents:
        raise SystemExit(f"{errors} of {documents + errors} transactions could not be read")
    return {"seconds": wall, "cpu": used, "growth_mb": (memory_kb("VmHWM") - idle) / 1024, "documents": documents}


def measure_split(path: Path, segments: int) -> dict[str, Any]:
    """The least that any reader in Python does: the whole file in memory, its segments; and then their elements."""
    began = time.perf_counter()
    pieces = path.read_text().split("~")
    segments_only = time.perf_counter() - began
    for piece in pieces:
        piece.split("*")
    return {"seconds": time.perf_counter() - began, "segments_only": segments_only}


def measure_scan(path: Path, segments: int) -> dict[str, Any]:
    """Envelopes only: interchanges, groups and transactions found and told apart."""
    from transformers.x12.envelope.scan import events

    began = time.perf_counter()
    found = sum(event.kind == "ST" for event in events(FileBody(path)))
    return {"seconds": time.perf_counter() - began, "transactions": found}


MEASURES = {"reader": measure_reader, "split": measure_split, "scan": measure_scan}


def in_process(what: str, path: Path, segments: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.x12_reading",
        "--measure",
        what,
        "--file",
        str(path),
        "--segments",
        str(segments),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(megabytes: float, folder: Path, repeat: int) -> dict[str, Any]:
    path = folder / f"{megabytes:g}.edi"
    segments = write_file(path, megabytes)
    size = path.stat().st_size / 1e6
    reads = [in_process("reader", path, segments) for _ in range(repeat)]
    splits = [in_process("split", path, segments) for _ in range(repeat)]
    scans = [in_process("scan", path, segments) for _ in range(repeat)]
    path.unlink()
    best = min(reads, key=lambda r: r["seconds"])
    bare = min(splits, key=lambda r: r["seconds"])
    return {
        "megabytes": round(size, 2),
        "segments": segments,
        "documents": best["documents"],
        "segments_per_second": round(segments / best["seconds"]),
        "segments_per_cpu_second": round(segments / best["cpu"]),
        "megabytes_per_second": round(size / best["seconds"], 2),
        "scan_mb_per_second": round(size / min(scan["seconds"] for scan in scans)),
        "growth_mb": round(max(r["growth_mb"] for r in reads), 1),
        "split_segments_per_second": round(segments / bare["seconds"]),
        "times_of_split": round(best["seconds"] / bare["seconds"], 2),
        "times_of_segment_split": round(best["seconds"] / bare["segments_only"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, action="append", help="size of the file; again for more (1, 10, 100)")
    parser.add_argument("--repeat", type=int, default=1, help="the best of so many runs counts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--segments", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASURES[options.measure](options.file, options.segments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [run(size, Path(folder), options.repeat) for size in options.mb or (1, 10, 100)]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        f"{'MB':>7} {'segments':>10} {'seg/s':>9} {'seg/cpu s':>9} {'MB/s':>6} {'scan MB/s':>9} {'growth':>8}"
        f" {'split seg/s':>12} {'x split':>8}"
    )
    for row in rows:
        print(
            f"{row['megabytes']:>7} {row['segments']:>10,} {row['segments_per_second']:>9,}"
            f" {row['segments_per_cpu_second']:>9,} {row['megabytes_per_second']:>6} {row['scan_mb_per_second']:>9}"
            f" {row['growth_mb']:>5} MB {row['split_segments_per_second']:>12,} {row['times_of_split']:>8}"
        )


if __name__ == "__main__":
    main()
