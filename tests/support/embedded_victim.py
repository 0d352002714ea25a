"""A process with an embedded broker, to be killed:
`python -m tests.support.embedded_victim FILE publish|consume PREFIX`.

`publish`: numbered messages for ever; prints each id, the prefix and the number, once
it is confirmed. `consume`: takes ten without finishing them;
prints each number.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.clock.system_clock import SystemClock
from hub.core.message import Message
from hub.core.topology import Queue, Topology

QUEUE = "q"


async def main(path: Path, what: str, prefix: str) -> None:
    broker = EmbeddedBroker(path, SystemClock())
    await broker.open()
    await broker.declare(Topology(queues=(Queue(QUEUE),)))
    if what == "publish":
        await asyncio.gather(*(_publish(broker, prefix, start) for start in range(20)))
    else:
        await broker.consume(QUEUE, _show, prefetch=10)
        await asyncio.Event().wait()


async def _publish(broker: EmbeddedBroker, prefix: str, number: int) -> None:
    while True:
        await broker.publish("", QUEUE, Message(f"{prefix}{number}", b"x" * 500))
        print(f"{prefix}{number}", flush=True)
        number += 20


def _show(delivery: Any) -> None:
    print(delivery.message.id, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
