"""`make bench`: all benchmarks, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

SUITE = (
    ("routing: 10,000 routes beside 10, and the linear scan", ["benchmarks/routing.py"]),
    ("guards beside the same tests by hand", ["-m", "benchmarks.guards"]),
    ("a hub with 10,000 routes beside one with 10", ["-m", "benchmarks.many_routes"]),
    ("X12 reading beside a bare str.split", ["-m", "benchmarks.x12_reading"]),
    ("X12 writing and lineage beside reading", ["-m", "benchmarks.x12_both_ways"]),
    ("X12 reading beside other tools in Python", ["-m", "benchmarks.x12_peers"]),
    ("rows, lines and lists beside bare parsers", ["-m", "benchmarks.formats"]),
    ("HTTP clients: aiohttp beside httpx", ["-m", "benchmarks.http_clients"]),
    ("1 GB over SFTP beside the program sftp", ["-m", "benchmarks.sftp"]),
    ("the hub's AMQP client beside plain aio-pika", ["-m", "benchmarks.forwarding_floor"]),
    ("bytes of a document in the journal", ["-m", "benchmarks.journal_bytes"]),
    ("end to end on RabbitMQ beside a plain aio-pika forwarder", ["-m", "benchmarks.end_to_end"]),
    ("the same without hand-over", ["-m", "benchmarks.end_to_end", "--variant", "queue"]),
    ("the same with a once-key and a template", ["-m", "benchmarks.end_to_end", "--variant", "once"]),
)


def main() -> int:
    failed = 0
    for title, arguments in SUITE:
        print(f"\n== {title}\n", flush=True)
        failed += subprocess.run([sys.executable, *arguments], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
