"""What many routes cost: how long a hub takes to start, and the CPU of a document, with ten routes and with thousands.

    python -m benchmarks.many_routes [--routes 10000] [--documents 1500] [--rabbitmq] [--json]

Orders of as many departments are dropped as files; every route sends those of one into a folder. The broker is the
embedded one, or a private RabbitMQ node, on which the queues have been declared by an earlier start. The CPU is that of
the hub's process.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.end_to_end import node
from tests.support.site import HubProcess, SiteOnDisk, order

FEW = 10
PATIENCE = 600.0
"""Seconds for a start, or for the documents."""

SOURCE = """\
format: 1
owner: bench
sources:
  inbox:
    file: {folder: var/drop, settle: 0s, poll: 50ms}
    read: {json: order@1}
routes:
"""


def make_site(folder: Path, routes: int, url: str | None) -> SiteOnDisk:
    site = SiteOnDisk(folder, amqp=url)
    for name in ("endpoints", "policies"):
        (folder / "config" / f"{name}.yaml").unlink()
    site.write("config/destinations.yaml", 'out:\n  file: {folder: var/out, name: "{number}.json"}\n')
    site.write("config/facts.yaml", 'department: {from: [order.department], type: text, default: ""}\n')
    rules = (f"  - {{id: r{n}, when: {{document: order, department: D{n}}}, to: [out]}}\n" for n in range(routes))
    site.write("routes/acme.yaml", SOURCE + "".join(rules))
    return site


def cpu_of(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(true: Any) -> float:
    """Seconds until it is true."""
    begun = time.perf_counter()
    while not true():
        if time.perf_counter() - begun > PATIENCE:
            raise SystemExit("the hub took too long")
        time.sleep(0.02)
    return time.perf_counter() - begun


def run(routes: int, documents: int, url: str | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        site = make_site(Path(folder), routes, url)
        process = HubProcess(site)
        try:
            if url:  # declares the queues
                process.start()
                process.wait_ready(PATIENCE)
                process.stop()
            process.start()
            begun = time.perf_counter()
            process.wait_ready(PATIENCE)
            started = time.perf_counter() - begun
            for number in range(documents):
                site.drop(
                    f"{number}.json",
                    order(f"N{number}", references=[{"qualifier": "DP", "value": f"D{number % routes}"}]),
                    "var/staged",
                )
            out = site.folder / "var/out"
            out.mkdir(parents=True, exist_ok=True)
            before = cpu_of(process.process_id)
            drop = site.folder / "var/drop"
            for each in (site.folder / "var/staged").iterdir():
                each.rename(drop / each.name)
            seconds = until(lambda: sum(1 for _ in out.iterdir()) >= documents)
            used = cpu_of(process.process_id) - before
            stopping = time.perf_counter()
            process.stop()
            return {
                "routes": routes,
                "start_seconds": round(started, 2),
                "cpu_ms_per_document": round(used / documents * 1000, 3),
                "documents_per_second": round(documents / seconds),
                "stop_seconds": round(time.perf_counter() - stopping, 2),
            }
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routes", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument(
        "--rabbitmq", action="store_true", help="a private RabbitMQ node instead of the embedded broker"
    )
    parser.add_argument("--url", help="a RabbitMQ node that runs")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    counts = (FEW, arguments.routes)
    if arguments.rabbitmq or arguments.url:
        with node(arguments.url) as url:
            found = [run(count, arguments.documents, url) for count in counts]
    else:
        found = [run(count, arguments.documents, None) for count in counts]
    few, many = found
    times = many["cpu_ms_per_document"] / few["cpu_ms_per_document"]
    if arguments.json:
        print(json.dumps({"runs": found, "times": round(times, 2)}))
        return
    for one in found:
        print(
            f"  {one['routes']:6} routes: start {one['start_seconds']:6.2f} s, stop {one['stop_seconds']:5.2f} s,"
            f" {one['cpu_ms_per_document']:6.2f} ms of CPU a document, {one['documents_per_second']:5} documents/s"
        )
    print(f"  a document costs {times:.2f} times as much with {many['routes']} routes")


if __name__ == "__main__":
    main()
