"""A big file over SFTP on the loopback, both ways: the hub's source and destination beside the program `sftp`.

Each moves the same file from or to the same OpenSSH server: the source into its spool and to an intake that reads it,
the destination from memory. `python -m benchmarks.sftp`, with `--mb` for another size than 1 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.clock.system_clock import SystemClock
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from tests.support.brokers import eventually
from tests.support.memory import Growth
from tests.support.openssh import MISSING, OpenSsh, find_sshd
from tests.support.sftp import Partner, outgoing

MB = 1 << 20


def written(path: Path, mb: int) -> str:
    """A file of that size which nothing compresses; gives its digest."""
    made = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(mb):
            piece = os.urandom(MB)
            made.update(piece)
            file.write(piece)
    return made.hexdigest()


def digest_of(arrival: Arrival) -> str:
    made = hashlib.sha256()
    for piece in arrival.body.chunks():
        made.update(piece)
    return made.hexdigest()


async def downloaded(partner: Partner, name: str, expected: str) -> dict[str, float]:
    """From the moment it may be taken until it has been."""
    taken, offered = asyncio.Event(), []

    async def take(arrival: Arrival) -> Taken:
        offered.append(time.perf_counter())
        if await asyncio.to_thread(digest_of, arrival) != expected:
            raise SystemExit("the file came over with other bytes")
        taken.set()
        return Taken(1)

    async def put_away() -> bool:
        return (partner.server.home / "out/done" / name).with_suffix(".edi").exists()

    async with partner.polling(take, match="*.edi") as folder:
        with Growth() as growth:
            began = time.perf_counter()
            (folder / name).rename((folder / name).with_suffix(".edi"))
            await taken.wait()
        seconds = time.perf_counter() - began
        await eventually(put_away)
    return {"seconds": offered[0] - began, "with_reading": seconds, "growth_mb": growth.most / MB}


async def uploaded(partner: Partner, body: bytes) -> dict[str, float]:
    with Growth() as growth:
        began = time.perf_counter()
        await partner.destination().send(outgoing(body, number="1"))
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "growth_mb": growth.most / MB}


def program(server: OpenSsh, command: str) -> float:
    options = ["-q", "-b", "-", "-P", str(server.port), "-i", str(server.key)]
    options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", f"{server.user}@127.0.0.1"]
    began = time.perf_counter()
    subprocess.run(["sftp", *options], input=command, text=True, check=True, capture_output=True)
    return time.perf_counter() - began


async def measured(server: OpenSsh, folder: Path, mb: int) -> dict[str, Any]:
    journal = Journal(str(folder / "hub.db"), folder / "claims", SystemClock())
    await journal.open()
    partner = Partner(server, folder, journal)
    out, local = server.home / "out", folder / "local"
    (server.home / "in").mkdir()
    out.mkdir()
    digest = await asyncio.to_thread(written, out / "warm.tmp", 1)
    await downloaded(partner, "warm.tmp", digest)
    digest = await asyncio.to_thread(written, out / "big.tmp", mb)
    down = await downloaded(partner, "big.tmp", digest)
    down["sftp_seconds"] = await asyncio.to_thread(program, server, f"get {out}/done/big.edi {local}")
    body = local.read_bytes()
    up = await uploaded(partner, body)
    placed = server.home / "in/order_1.edi"
    up["sftp_seconds"] = await asyncio.to_thread(program, server, f"put {local} {server.home}/in/by-sftp")
    if placed.stat().st_size != len(body):
        raise SystemExit("the file went over with another size")
    await partner.endpoint.close()
    await journal.close()
    return {"mb": mb, "download": down, "upload": up}


def shown(result: dict[str, Any], say: Callable[[str], None] = print) -> None:
    mb = result["mb"]
    say(f"{'':10}{'hub MB/s':>10}{'sftp MB/s':>11}{'ratio':>7}{'growth MB':>11}")
    for way in ("download", "upload"):
        one = result[way]
        ratio = one["sftp_seconds"] / one["seconds"]
        say(f"{way:10}{mb / one['seconds']:10.0f}{mb / one['sftp_seconds']:11.0f}{ratio:7.2f}{one['growth_mb']:11.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1024)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sshd = find_sshd()
    if sshd is None:
        print(MISSING, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        server = OpenSsh(sshd, Path(folder) / "openssh")
        server.start()
        try:
            result = asyncio.run(measured(server, Path(folder), options.mb))
        finally:
            server.stop()
    print(json.dumps(result)) if options.json else shown(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
