"""Every reader on bytes that nobody should send: linear in time, bounded in memory, a clear error, and what stood
before the damage."""

from __future__ import annotations

import gc
import gzip
import io
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from adapters.soap.calls.reply import soap_reply
from adapters.soap.serving.safe_xml import UnsafeXml, parsed
from hub.core.errors import DecodeError
from hub.core.plugin import Plugin
from hub.core.ports import BytesBody, Reading
from tests.support.memory import Growth
from tests.support.site import order
from tests.support.x12 import orders_850
from tests.unit.transformers.reading import Repeated, built
from transformers import json, ndjson
from transformers.csv import PLUGINS as CSV
from transformers.fixed_width import PLUGINS as FIXED_WIDTH
from transformers.unpack import unpacked_by
from transformers.x12 import PLUGINS as X12
from transformers.xml import PLUGIN as XML

FEW, MANY = 8_000, 64_000
"""Bytes."""

NOTICEABLE = 0.02
"""Seconds of processor time; what takes less for MANY bytes is linear enough, whatever the clock says of FEW."""

ROUNDS = 5
"""A busy machine spoils one measurement, and not five."""

MAP = {"routes/templates/o.json.j2": '{"number": "{{ body.text(\'n\') }}"}'}
ROWS = "{document: order@1, to: {number: n, lines: {quantity: q}}, group: [n], types: {q: integer}}"
FIXED = (
    "{document: order@1, to: {number: n, lines: {quantity: q}}, begins: H, records: {H: {n: [2, 9]}, L: {q: [2, 9]}},"
    " types: {q: integer}}"
)


def reader_in(plugins: tuple[Plugin, ...]) -> Plugin:
    return next(plugin for plugin in plugins if plugin.kind == "reader")


@dataclass(frozen=True)
class Kind:
    """A reader. `good` makes a body of some orders. `repeated` are parts of its language, which a stranger may repeat.
    `one` is the beginning of a value that doesn't end, and what goes on. `first`: the readings before a damage stay."""

    make: Callable[[], Any]
    good: Callable[[int], bytes]
    repeated: tuple[bytes, ...]
    one: tuple[bytes, bytes]
    first: bool = True


def zipped(body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", body)
    return out.getvalue()


def mime(body: bytes) -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: application/json\r\n\r\n"
        + body
        + b"\r\n--a--\r\n"
    )


def lines_of(count: int) -> bytes:
    return b"\n".join(order(str(n)) for n in range(count))


def canonical() -> Any:
    return built(ndjson.PLUGIN, "{document: order@1}", {})


BRACKETS = (
    b"[",
    b"{",
    b'{"a":',
    b'"',
    b"\\",
    b'"\\"',
    b",",
    b"1",
    b"-",
    b"1e9",
    b"[]",
    b"[1,",
    b" ",
    b"\n",
    b"\xff",
    b"\x00",
    b"{}\n",
)
TAGS = (
    b"<a>",
    b"<a/>",
    b"<",
    b"&",
    b"&#9;",
    b"<!--",
    b"<!---->",
    b"<?a?>",
    b"<![CDATA[",
    b"<a b='",
    b" b='1'",
    b"]]>",
    b"<!DOCTYPE a>",
    b" ",
    b"\xff",
    b"\x00",
    b"<o><n>1</n></o>",
    b"</o>",
)
KINDS = {
    "json": Kind(
        lambda: built(json.PLUGIN, "{document: order@1}", {}),
        lambda n: order("1", lines=[{"quantity": "1"}] * n),
        BRACKETS,
        (b'{"document": "order@1", "number": "', b"a"),
        first=False,
    ),
    "json list": Kind(
        lambda: built(json.PLUGIN, "{document: order@1, each: /}", {}),
        lambda n: b"[" + b",".join(order(str(i)) for i in range(n)) + b"]",
        BRACKETS,
        (b'[{"number": "', b"\\n"),
    ),
    "ndjson": Kind(canonical, lines_of, BRACKETS, (b'{"number": "', b"a")),
    "xml": Kind(
        lambda: built(XML, "{document: order@1, map: o.json.j2, each: /all/o}", MAP),
        lambda n: b"<all>" + b"".join(b"<o><n>%d</n></o>" % i for i in range(n)) + b"</all>",
        TAGS,
        (b"<all><o><n>", b"a"),
    ),
    "csv": Kind(
        lambda: built(reader_in(CSV), ROWS, {}),
        lambda n: b"n,q\n" + b"".join(b"%d,2\n" % i for i in range(n)),
        (
            b",",
            b'"',
            b'""',
            b'"\n',
            b"\n",
            b"\r",
            b"\r\n",
            b"n,",
            b"1,2\n",
            b"1,x\n",
            b" ",
            b"\\",
            b"\xff",
            b"\x00",
            b'"a",',
        ),
        (b'n,q\n1,"', b"a"),
    ),
    "fixed_width": Kind(
        lambda: built(reader_in(FIXED_WIDTH), FIXED, {}),
        lambda n: b"".join(b"H%-8d\nL%-8d\n" % (i, 2) for i in range(n)),
        (b"H", b"H2      \n", b"L\n", b"\n", b"\r", b" ", b"X\n", b"L2\n", b"Lx\n", b"\xff", b"\x00", b"\xff\n"),
        (b"H1\nL", b"a"),
    ),
    "x12": Kind(
        lambda: built(reader_in(X12), "{}", {}),
        lambda n: b"".join(orders_850([str(i)], i + 1) for i in range(n)),
        (
            b"~",
            b"*",
            b">",
            b"ISA",
            b"ISA*",
            b"~ISA*00*",
            b"GS*",
            b"~ST*",
            b"~SE*",
            b"~IEA*",
            b"~BIN*9*",
            b"~HL*1**S",
            b" ",
            b"\n",
            b"\r\n",
            b"\x00",
            b"\xff",
            b"~PO1*1*1",
        ),
        (orders_850(["1"])[:150] + b"~NTE**", b"a"),
    ),
    "gzip": Kind(
        lambda: unpacked_by("gzip", canonical()),
        lambda n: gzip.compress(lines_of(n), mtime=0),
        (
            b"\x1f\x8b",
            b"\x1f\x8b\x08\x00",
            gzip.compress(b"", mtime=0),
            gzip.compress(b"\n", mtime=0),
            gzip.compress(b"{}\n", mtime=0),
            b"\x00",
            b"\xff",
        ),
        (gzip.compress(b"", mtime=0)[:10], b"\x00"),
        first=False,
    ),
    "zip": Kind(
        lambda: unpacked_by("zip", canonical()),
        lambda n: zipped(lines_of(n)),
        (b"PK", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", zipped(b"{}"), b"\x00", b"\xff"),
        (zipped(b"")[:34], b"\x00"),
        first=False,
    ),
    "mime": Kind(
        lambda: unpacked_by("mime", canonical()),
        lambda n: mime(lines_of(n)),
        (
            b"--a\r\n",
            b"--a--",
            b"\r\n",
            b"\n\n",
            b"A: b\n",
            b"A:",
            b" ",
            b"Content-Type: multipart/mixed; boundary=a\n\n--a\n",
            b"=?utf-8?q?",
            b";",
            b"=\n",
            b"\x00",
            b"\xff",
        ),
        (b"Content-Type: application/json\r\n\r\n", b"a"),
    ),
    "auto": Kind(
        lambda: unpacked_by("auto", canonical()),
        lambda n: gzip.compress(zipped(lines_of(n))),
        (b"\x1f\x8b", b"PK", b"A: b\n", b"{"),
        (b"{", b"a"),
        first=False,
    ),
}


@cache
def reader(name: str) -> Any:
    return KINDS[name].make()


def attacks(kind: Kind, size: int) -> Iterator[tuple[str, bytes]]:
    """Malformed, truncated, huge, hostile, repeated and expensive, each of about `size` bytes."""
    yield "empty", b""
    yield "noise", random.Random(size).randbytes(size)
    good = kind.good(max(1, size // 250))
    yield "good", good
    yield "truncated", good[: len(good) * 2 // 3]
    yield "twice", good + good
    damaged = bytearray(good)
    damaged[len(good) // 3 :: 997] = b"\xfe" * len(range(len(good) // 3, len(good), 997))
    yield "damaged", bytes(damaged)
    half = kind.good(max(1, size // 500))[:-10]  # cut at the same place, whatever the size
    begin, more = kind.one
    yield "one value", begin + more * (size // len(more))
    for part in kind.repeated:
        many = part * (size // len(part))
        yield f"{part!r} again and again", many
        yield f"{part!r} again and again within", half + many
        yield f"{part!r} again and again behind", good + many


def read(name: str, body: bytes) -> Iterator[Reading]:
    return iter(reader(name).read(BytesBody(body)))


def taken(name: str, body: bytes) -> None:
    """Takes one reading after the other, as the intake does, and holds none."""
    for one in read(name, body):
        assert (one.document is None) is (one.error is not None)
        assert one.error is None or (isinstance(one.error, DecodeError) and 0 < len(str(one.error)) < 2000)


def processor_time(work: Callable[[], object]) -> float:
    """Without the garbage collector, whose cost depends on all that the tests before have left."""
    gc.disable()
    try:
        began = time.thread_time()
        work()
        return time.thread_time() - began
    finally:
        gc.enable()


@pytest.mark.parametrize("name", KINDS)
def test_a_reader_costs_no_more_than_its_body_is_long_and_raises_nothing(name: str) -> None:
    few = dict(attacks(KINDS[name], FEW))
    taken(name, KINDS[name].good(2))
    with Growth() as growth:
        for what, body in attacks(KINDS[name], MANY):
            is_linear(lambda size, what=what, body=body: taken(name, body if size == MANY else few[what]), what)  # type: ignore[misc]
    assert growth.most < 100_000_000


def is_linear(work: Callable[[int], object], what: str) -> None:
    """Each round compares MANY bytes once with FEW bytes eight times: the machine then treats both alike."""
    for _ in range(ROUNDS):
        took = processor_time(lambda: work(MANY))
        if took <= NOTICEABLE:
            return
        before = processor_time(lambda: [work(FEW) for _ in range(8)]) / 8
        if took < 20 * max(before, NOTICEABLE / 20):
            return
    raise AssertionError(f"{what}: {took:.3f} s, {before:.3f} s for an eighth")


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.first])
def test_what_stands_before_the_damage_is_read(name: str) -> None:
    kind = KINDS[name]
    good = kind.good(40)
    body = good[: len(good) * 2 // 3] + b"\xfe\x00\xff" * 100
    found = list(read(name, body))
    numbers = [one.document.number for one in found if one.document is not None]
    assert numbers[:15] == [str(n) for n in range(15)]
    assert any(one.error is not None for one in found)


@pytest.mark.parametrize("name", KINDS)
def test_a_value_without_an_end_takes_bounded_memory(name: str) -> None:
    begin, more = KINDS[name].one
    body = Repeated(begin, more, 20_000_000 // len(more))
    with Growth() as growth:
        errors = sum(one.error is not None for one in reader(name).read(body))
    assert errors
    assert growth.most < 150_000_000


@pytest.mark.parametrize("parse", [parsed, lambda body: soap_reply(body, "text/xml")], ids=["soap", "soap reply"])
def test_soap_costs_no_more_than_it_is_long(parse: Callable[[bytes], object]) -> None:
    envelope = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>'

    said: list[str] = []

    def tried(body: bytes) -> None:
        try:
            parse(body)
        except (UnsafeXml, ValueError) as error:
            said.append(str(error))

    for part in TAGS:
        for begin in (b"", envelope):
            is_linear(lambda size, part=part, begin=begin: tried(begin + part * (size // len(part))), str(part))  # type: ignore[misc]
    assert said
    assert all(said)
