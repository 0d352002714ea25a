"""A source and a destination that work as they stand, with their contract tests, as templates
(`hub.cli.new.plugin_texts`)."""

from __future__ import annotations

SOURCE = '''\
"""The source `$name`: takes the files of a folder, and removes each once the hub has it."""

from pathlib import Path
from typing import Any

from pydantic import Field

from hub.core.clock import Clock
from hub.core.errors import HubError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Arrival, BytesBody, Take


class ${Noun}Options(Options):
    """Where to look."""

    folder: str = Field(min_length=1, description="The folder, relative to the site; files are renamed in as *.json.")


class $Noun:
    """`sole`: of many hub processes one looks at a time. A file stays until `take` has returned."""

    sole = True

    def __init__(self, name: str, folder: Path, log: Any, clock: Clock) -> None:
        self._name, self._folder, self._log, self._clock = name, folder, log, clock

    async def run(self, take: Take) -> None:
        while True:
            for path in sorted(self._folder.glob("*.json")):
                try:
                    await take(Arrival(self._name, BytesBody(path.read_bytes()), path.name))
                    path.unlink()
                except (HubError, OSError) as error:  # it stays, and is offered again
                    self._log.warning("not_taken", source=self._name, file=path.name, error=str(error))
            await self._clock.sleep(0.5)


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(name, Path(context.site) / options.folder, context.log, context.clock)


PLUGIN = Plugin(
    name="$name",
    kind="source",
    options=${Noun}Options,
    summary="Takes the files of a folder, and removes each once the hub has it.",
    example="folder: var/$name\\n",
    build=build,
)
'''

SOURCE_TEST = '''\
"""What the hub promises about every source, checked on `$name`."""

from pathlib import Path

from hub.app.plugin_contract import installed, made, refuses, source_waits_for_take


def test_the_declaration() -> None:
    refuses(installed("source", "$name"), {"folder": ""})


def test_it_acknowledges_only_what_was_taken(tmp_path: Path) -> None:
    folder = tmp_path / "var/$name"
    folder.mkdir(parents=True)
    (folder / "1.json").write_bytes(b"{}")
    source = made(installed("source", "$name"), tmp_path)
    arrival = source_waits_for_take(source, waiting=lambda: len(list(folder.iterdir())))
    assert arrival.name == "1.json"
'''

DESTINATION = '''\
"""The destination `$name`: each document becomes a file of a folder."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from hub.core.errors import RejectedError, TransientError
from hub.core.outgoing_address import OutgoingAddress
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Outgoing, Receipt


class ${Noun}Options(Options):
    """Where documents go."""

    folder: str = Field(min_length=1, description="The folder, relative to the site. Created when missing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ${Noun}Address(OutgoingAddress):
    """The file, relative to the site: what a person is shown before anything is sent. Never a secret."""

    kind: ClassVar[str] = "$name"
    path: str

    @property
    def target(self) -> str:
        return self.path


class $Noun:
    """The file is named by the key, so that sending a document again changes nothing, and appears whole or not at all."""

    def __init__(self, site: Path, folder: str) -> None:
        self._site, self._folder = site, folder

    def address(self, outgoing: Outgoing) -> ${Noun}Address:  # pure: no clock, no disk, no network
        return ${Noun}Address(path=f"{self._folder}/{outgoing.key}")

    async def send(self, outgoing: Outgoing) -> Receipt:
        if not outgoing.body:
            raise RejectedError("there is nothing to write", code="empty")  # a definite no
        try:
            return await asyncio.to_thread(self._write, self._site / self.address(outgoing).path, outgoing.body)
        except OSError as error:
            raise TransientError(f"{self._folder}: {error.strerror}", "unreachable") from error  # the hub tries again

    def _write(self, path: Path, body: bytes) -> Receipt:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(body)
        return Receipt(f"written to {part.replace(path).name}")

    async def close(self) -> None:
        return None


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(Path(context.site), options.folder)


PLUGIN = Plugin(
    name="$name",
    kind="destination",
    options=${Noun}Options,
    summary="Writes each document to a file of a folder.",
    example="folder: var/$name\\n",
    build=build,
)
'''

DESTINATION_TEST = '''\
"""What the hub promises about every destination, checked on `$name`."""

from pathlib import Path

from hub.app.plugin_contract import addresses, fails, installed, made, outgoing, refuses, sends
from hub.core.errors import RejectedError, TransientError


def test_the_declaration() -> None:
    refuses(installed("destination", "$name"), {"folder": ""})


def test_what_is_sent_twice_is_there_once(tmp_path: Path) -> None:
    one, destination = outgoing(), made(installed("destination", "$name"), tmp_path)
    assert addresses(destination, one)["target"] == f"var/$name/{one.key}"
    sends(destination, one, one)
    assert [path.read_bytes() for path in (tmp_path / "var/$name").iterdir()] == [one.body]


def test_what_may_work_later_is_transient(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    assert isinstance(fails(made(installed("destination", "$name"), tmp_path), outgoing()), TransientError)


def test_what_can_never_be_sent_is_refused(tmp_path: Path) -> None:
    assert isinstance(fails(made(installed("destination", "$name"), tmp_path), outgoing(b"")), RejectedError)
'''
