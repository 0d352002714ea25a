"""The way of one 850 through a hub, recorded as it goes. `python -m tests.support.way` records it anew and writes the
files into `docs/architecture.md`, in the order in which they are first entered."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hub.core.stage import Stage
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk
from tests.support.stories import exists, status_becomes
from tests.support.x12 import orders_850

ROOT = f"{Path(__file__).parents[2]}/"
PAGE = Path(ROOT) / "docs/architecture.md"
SECTION = "## The way of one 850"
CODE = tuple(f"{ROOT}{package}/" for package in ("hub", "adapters", "transformers"))

STAGES = {
    "hub/runtime/intake/intake.py": Stage.RECEIVED,
    "hub/runtime/intake/arrival_reader.py": Stage.READ,
    "hub/runtime/intake/router.py": Stage.MATCHED,
    "hub/runtime/delivery/worker.py": Stage.SENT,
}
"""The file that a stage begins in, in their order. What it calls belongs to the stage, until another of these is
called."""

BEGINNINGS = (*STAGES, "adapters/file/", "hub/broker/", "hub/journal/commit/")
"""What calls on behalf of the document: its source, the stages, and the broker and the commit in their own time. What
the hub does beside it now and then is not recorded."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A call from one file into another one. `stage`: on whose behalf, None before the intake is asked."""

    file: str
    function: str
    stage: Stage | None

    def __str__(self) -> str:
        return f"{self.file} {self.function}"


class RecordedWay:
    """Records the calls of this thread. A coroutine that goes on is no call."""

    def __init__(self) -> None:
        self.entered: list[Entered] = []
        self._begun: dict[int, FrameType] = {}

    def __enter__(self) -> RecordedWay:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *raised: object) -> None:
        sys.setprofile(None)
        self._begun.clear()

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(CODE) or id(frame) in self._begun:
            return
        self._begun[id(frame)] = frame  # held, so that no other frame has its id
        files = list(_files(frame))
        if len(files) > 1 and files[0] == files[1]:
            return
        if any(file.startswith(BEGINNINGS) for file in files):
            stage = next((STAGES[file] for file in files[1:] if file in STAGES), None)
            self.entered.append(Entered(files[0], frame.f_code.co_qualname, stage))

    def entered_again(self) -> list[str]:
        """Calls into files of the runtime on behalf of a stage, where the file belongs to an earlier one: the first in
        which it was called, or which it begins."""
        order = list(STAGES.values())
        own: dict[str, Stage] = dict(STAGES)
        found = []
        for entered in self.entered:
            if entered.file.startswith("hub/runtime/") and entered.stage is not None:
                first = own.setdefault(entered.file, entered.stage)
                if order.index(entered.stage) > order.index(first) and str(entered) not in found:
                    found.append(str(entered))
        return found

    @property
    def files(self) -> list[str]:
        """In the order in which they are first entered."""
        return list(dict.fromkeys(entered.file for entered in self.entered))


def _files(frame: FrameType | None) -> Iterator[str]:
    """Those of the calls that lead here, from the inside out; generated code has none."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(ROOT):
            yield name.removeprefix(ROOT)
        frame = frame.f_back


async def record_way(folder: Path) -> RecordedWay:
    """Of the second 850: what is compiled once has been compiled."""
    site = SiteOnDisk(folder)
    site.write("config/destinations.yaml", "erp:\n  file: {folder: var/out}\n")
    async with site.running() as hub:
        site.drop("first.edi", orders_850(["1001"], 1), "var/edi")
        await status_becomes(hub, "1001", "delivered")
        await eventually(lambda: exists(folder / "var/edi/done/first.edi"))
        with RecordedWay() as way:
            site.drop("second.edi", orders_850(["1002"], 2), "var/edi")
            await status_becomes(hub, "1002", "delivered")
            await eventually(lambda: has_ended(way))
    return way


async def has_ended(way: RecordedWay) -> bool:
    """The source has looked again after it was told that its document is settled, and the copy is acknowledged."""
    functions = [entered.function for entered in way.entered]
    settled = next((n for n, name in enumerate(functions) if name.endswith(".settled")), None)
    acknowledged = "EmbeddedDelivery.ack" in functions
    return acknowledged and settled is not None and "DueFiles.offer" in functions[settled:]


def listed(way: RecordedWay) -> str:
    """On behalf of which stage a file is first entered, and the file; a line each."""
    stages: dict[str, Stage | None] = {}
    for entered in way.entered:
        stages.setdefault(entered.file, STAGES.get(entered.file, entered.stage))
    return "".join(f"{stage or '':<10}{file}\n" for file, stage in stages.items())


def files_on_page() -> list[str]:
    return [line[10:] for line in _page_apart()[1].splitlines()]


def _page_apart() -> tuple[str, str, str]:
    """The page before the list, the list, and the rest."""
    before, heading, after = PAGE.read_text(encoding="utf-8").partition(SECTION)
    text, files, rest = after.split("```\n", 2)
    return f"{before}{heading}{text}```\n", files, f"```\n{rest}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        recorded = listed(asyncio.run(record_way(Path(folder))))
    begin, _, end = _page_apart()
    PAGE.write_text(begin + recorded + end, encoding="utf-8")
