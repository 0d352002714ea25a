"""The files of a distribution of one plug-in, as templates: `$name` is the plug-in's name, `$module` its module, `$Noun` its class."""

from __future__ import annotations

from string import Template

PYPROJECT = Template("""\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$distribution"
version = "0.1.0"
description = "The $kind `$name` of the mediation hub"
requires-python = ">=3.11"
classifiers = ["Private :: Do Not Upload"]
dependencies = []  # what the plug-in imports beside the hub, which is there already

[project.entry-points."$group"]
"$kind-$name" = "$module"

[tool.setuptools]
py-modules = ["$module"]

[tool.pytest.ini_options]
testpaths = ["tests"]
""")

README = Template("""\
# $distribution

The $kind `$name` of the mediation hub, a distribution of its own. `$module.py` is the plug-in, `tests/` its contract: what the hub
promises about every $kind, checked on this one.

In the environment in which the hub is installed (without a network: `pip install --no-build-isolation -e .`, with setuptools 77 or newer there):

    pip install -e .
    pytest
    hub check --site DIR

In a file of the site:

```yaml
$usage```

`hub schema --write config/schemas` tells editors of its options.
""")

USAGES = {
    "source": """\
# routes/NAME.yaml
format: 1
owner: order-desk
sources:
  my-inbox:
    $name: {folder: var/$name}
    read: {json: order@1}
""",
    "destination": """\
# config/destinations.yaml
my-outbox:
  $name: {folder: var/$name}
""",
    "reader": """\
# routes/NAME.yaml
format: 1
owner: order-desk
sources:
  my-inbox:
    file: {folder: var/drop}
    read: {$name: {partner: ACME}}
""",
    "writer": """\
# config/destinations.yaml
my-outbox:
  file: {folder: var/outbox, name: "{number}.txt"}
  write: {$name: {separator: ";"}}
""",
}

SOURCE = '''\
"""The source `$name`: takes the files of a folder, and removes each once the hub has it."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import Field

from hub.core.errors import HubError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Arrival, BytesBody, Take


class ${Noun}Options(Options):
    """Where to look."""

    folder: str = Field(min_length=1, description="The folder, relative to the site; files are renamed in as *.json.")


class $Noun:
    """`sole`: of many hub processes one looks at a time. A file stays until `take` has returned."""

    sole = True

    def __init__(self, name: str, folder: Path, log: Any) -> None:
        self._name, self._folder, self._log = name, folder, log

    async def run(self, take: Take) -> None:
        while True:
            for path in sorted(self._folder.glob("*.json")):
                try:
                    await take(Arrival(self._name, BytesBody(path.read_bytes()), path.name))
                    path.unlink()
                except (HubError, OSError) as error:  # it stays, and is offered again
                    self._log.warning("not_taken", source=self._name, file=path.name, error=str(error))
            await asyncio.sleep(0.5)


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(name, Path(context.site) / options.folder, context.log)


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
from pathlib import Path

from pydantic import Field

from hub.core.errors import RejectedError, TransientError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Outgoing, Receipt


class ${Noun}Options(Options):
    """Where documents go."""

    folder: str = Field(min_length=1, description="The folder, relative to the site. Created when missing.")


class $Noun:
    """The file is named by the key, so that sending a document again changes nothing, and appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, outgoing: Outgoing) -> Receipt:
        if not outgoing.body:
            raise RejectedError("there is nothing to write", code="empty")  # a definite no
        try:
            return await asyncio.to_thread(self._write, outgoing)
        except OSError as error:
            raise TransientError(f"{self._folder}: {error.strerror}", "unreachable") from error  # the hub tries again

    def _write(self, outgoing: Outgoing) -> Receipt:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{outgoing.key}.part"
        part.write_bytes(outgoing.body)
        return Receipt(f"written to {part.replace(self._folder / outgoing.key).name}")

    async def close(self) -> None:
        return None


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(Path(context.site) / options.folder)


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

from hub.app.plugin_contract import fails, installed, made, outgoing, refuses, sends
from hub.core.errors import RejectedError, TransientError


def test_the_declaration() -> None:
    refuses(installed("destination", "$name"), {"folder": ""})


def test_what_is_sent_twice_is_there_once(tmp_path: Path) -> None:
    one = outgoing()
    sends(made(installed("destination", "$name"), tmp_path), one, one)
    assert [path.read_bytes() for path in (tmp_path / "var/$name").iterdir()] == [one.body]


def test_what_may_work_later_is_transient(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    assert isinstance(fails(made(installed("destination", "$name"), tmp_path), outgoing()), TransientError)


def test_what_can_never_be_sent_is_refused(tmp_path: Path) -> None:
    assert isinstance(fails(made(installed("destination", "$name"), tmp_path), outgoing(b"")), RejectedError)
'''

READER = '''\
"""The reader `$name`: each line is an order, `number;product;quantity`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from hub.core.errors import DecodeError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Body, Reading
from hub.documents import Order
from hub.mapping.lines import lines


class ${Noun}Options(Options):
    """Whose orders they are."""

    partner: str = Field(min_length=1, description="The partner that the orders are from.")


class $Noun:
    """Line by line, so that memory is bounded by a line. One that can't be read spoils no other."""

    def __init__(self, partner: str) -> None:
        self._partner = partner

    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        for at, line in lines(body.chunks()):
            try:
                yield Reading((str(at),), self._order(line))
            except ValueError as error:
                yield Reading((str(at),), error=DecodeError(f"line {at}: {error}"))

    def _order(self, line: bytes | None) -> Order:
        if line is None:
            raise ValueError("too long")
        number, product, quantity = line.decode("utf-8").strip().split(";")
        ordered = {"number": "1", "products": {"VN": product}, "quantity": quantity}
        return Order.model_validate({"number": number, "partner": self._partner, "lines": [ordered]})


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(options.partner)


PLUGIN = Plugin(
    name="$name",
    kind="reader",
    options=${Noun}Options,
    summary="Reads orders, a line each: number;product;quantity.",
    example="partner: ACME\\n",
    build=build,
    documents=lambda options: ("order",),
)
'''

READER_TEST = '''\
"""What the hub promises about every reader, checked on `$name`."""

from pathlib import Path

from hub.app.plugin_contract import bears_garbage, installed, made, reads, reads_lazily, refuses

SAMPLE = b"104582;HAMMER-16;12\\n104583;NAIL-40;500\\n"


def test_the_declaration() -> None:
    refuses(installed("reader", "$name"), {"partner": ""})


def test_what_it_reads(tmp_path: Path) -> None:
    first, second, third = reads(made(installed("reader", "$name"), tmp_path), SAMPLE + b"no order\\n")
    assert [reading.document.number for reading in (first, second) if reading.document] == ["104582", "104583"]
    assert str(third.error).startswith("line 3: ")


def test_it_bears_garbage(tmp_path: Path) -> None:
    bears_garbage(made(installed("reader", "$name"), tmp_path), SAMPLE)


def test_it_reads_lazily(tmp_path: Path) -> None:
    reads_lazily(made(installed("reader", "$name"), tmp_path), SAMPLE)
'''

WRITER = '''\
"""The writer `$name`: an order becomes lines, `number;product;quantity`."""

from pydantic import Field

from hub.core.errors import MappingError
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import WriteContext, Written
from hub.documents import Order
from hub.documents.base import Document


class ${Noun}Options(Options):
    """How the lines look."""

    separator: str = Field(";", min_length=1, max_length=1, description="What stands between the values.")


class $Noun:
    """Knows no clock and draws nothing: the same order gives the same bytes."""

    def __init__(self, separator: str) -> None:
        self._separator = separator

    def write(self, document: Document, context: WriteContext) -> Written:
        if not isinstance(document, Order):
            raise MappingError(f"document: only an order can be written, not a {document.kind}")
        rows = [(document.number, line.products.get("VN"), line.quantity) for line in document.lines]
        return Written("".join(f"{self._line(row)}\\n" for row in rows).encode(), "text/plain; charset=utf-8")

    def _line(self, row: tuple[object, ...]) -> str:
        for name, value in zip(("number", "products.VN", "quantity"), row, strict=True):
            if value is None or self._separator in str(value) or not str(value).isprintable():
                raise MappingError(f"{name}: {value!r} can't stand in a line")
        return self._separator.join(map(str, row))


def build(name: str, options: ${Noun}Options, context: Context) -> $Noun:
    return $Noun(options.separator)


PLUGIN = Plugin(
    name="$name",
    kind="writer",
    options=${Noun}Options,
    summary="Writes an order as lines: number;product;quantity.",
    example='separator: ";"\\n',
    build=build,
)
'''

WRITER_TEST = '''\
"""What the hub promises about every writer, checked on `$name`."""

from pathlib import Path

import pytest

from hub.app.plugin_contract import installed, made, refuses, writes
from hub.core.errors import MappingError
from hub.documents import Order

LINE = {"number": "1", "products": {"VN": "HAMMER-16"}, "quantity": "12"}


def test_the_declaration() -> None:
    refuses(installed("writer", "$name"), {"separator": "too long"})


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    order = Order.model_validate({"number": "104582", "partner": "ACME", "lines": [LINE]})
    assert writes(made(installed("writer", "$name"), tmp_path), order) == b"104582;HAMMER-16;12\\n"


def test_what_cannot_be_said_names_the_field(tmp_path: Path) -> None:
    order = Order.model_validate({"number": "1", "partner": "ACME", "lines": [{**LINE, "products": {}}]})
    with pytest.raises(MappingError, match=r"products\\.VN"):
        writes(made(installed("writer", "$name"), tmp_path), order)
'''

CODE = {
    "source": (SOURCE, SOURCE_TEST),
    "destination": (DESTINATION, DESTINATION_TEST),
    "reader": (READER, READER_TEST),
    "writer": (WRITER, WRITER_TEST),
}
"""The module and its contract test, by kind."""
