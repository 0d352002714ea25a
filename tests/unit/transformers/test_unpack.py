"""Bodies that are packed: each entry by the source's reader, nothing beyond the bounds."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.message import EMPTY, Header
from hub.core.ports import BytesBody
from tests.support.growth import growth
from tests.unit.transformers.reading import Pieces, built, said
from transformers import json, ndjson
from transformers.unpack import unpacked_by

ONE = built(json.PLUGIN, "{document: order@1}")
LINES = built(ndjson.PLUGIN, "{document: order@1}")


def order(number: str) -> bytes:
    return b'{"number": "%s"}' % number.encode()


class Unseekable(io.RawIOBase):
    """A file that is only written on: a zip file made so says sizes after the bytes."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def zipped(
    entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, streamed: bool = False, level: int | None = None
) -> bytes:
    target: Any = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", method, compresslevel=level) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return target.data if streamed else target.getvalue()  # type: ignore[no-any-return]


def read(
    body: bytes, kind: str = "auto", reader: Any = ONE, headers: Mapping[str, Any] = EMPTY
) -> list[tuple[str, str]]:
    return said(list(unpacked_by(kind, reader).read(Pieces(body, 11), headers)))


@pytest.mark.parametrize("kind", ["gzip", "auto"])
def test_gzip_is_one_entry_however_many_members(kind: str) -> None:
    body = gzip.compress(order("1") + b"\n") + gzip.compress(order("2"))
    assert read(body, kind, LINES) == [("1.1", "1"), ("1.2", "2")]


@pytest.mark.parametrize("streamed", [False, True])
def test_the_entries_of_a_zip_file_come_in_their_order(streamed: bool) -> None:
    body = zipped({"../../etc/b.json": order("1"), "folder/": b"", "a.json": order("2")}, streamed=streamed)
    assert read(body) == [("1", "1"), ("2", "2")]
    assert read(zipped({"a": order("1")}, zipfile.ZIP_STORED), "zip") == [("1", "1")]


def test_a_reader_is_told_the_name_that_an_entry_has() -> None:
    files = {"routes/templates/n.json.j2": '{"number": "{{ name }}"}'}
    reader = built(json.PLUGIN, "{document: order@1, map: n.json.j2}", files)
    assert read(zipped({"x/a.json": b"1"}), reader=reader) == [("1", "x/a.json")]
    assert read(gzip.compress(b"1"), reader=reader, headers={Header.NAME: "b.gz"}) == [("1", "b.gz")]


def test_one_in_another_and_no_further() -> None:
    inner = gzip.compress(order("1"))
    assert read(zipped({"a.gz": inner})) == [("1.1", "1")]
    assert read(zipped({"a.zip": zipped({"b.gz": inner})})) == [("1.1", "! packed more than 2 times over")]


def test_what_is_not_packed_is_read_as_it_is() -> None:
    assert read(order("1")) == [("", "1")]


def test_a_spoiled_entry_spoils_no_other() -> None:
    body = zipped({"a": order("1"), "b": b'{"number": "22222222"}', "c": order("3")}, zipfile.ZIP_STORED)
    found = read(body.replace(b"22222222", b"22232222", 1))
    assert found == [("1", "1"), ("2", "! the entry 'b': its check sum is wrong"), ("3", "3")]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (gzip.compress(order("1"))[:-6], "it breaks off"),
        (gzip.compress(order("1"))[:-8] + b"12345678", "it can't be unpacked"),
        (zipped({"a": order("1")})[:60], "breaks off"),
        (zipped({"a": b""}, zipfile.ZIP_BZIP2), "packed by the method 12"),
        (b"PK\x03\x04\x14\x00\x01\x00" + zipped({"a": order("1")})[8:], "is encrypted"),
        (zipped({f"{n}": b"" for n in range(1001)}), "more than 1000 entries"),
    ],
    ids=["cut", "checksum", "cut zip", "method", "encrypted", "many"],
)
def test_what_cannot_be_unpacked_is_refused(body: bytes, wrong: str) -> None:
    assert wrong in read(body)[-1][1]


@pytest.mark.parametrize("mark", [b"PK\x07\x08", b""], ids=["marked", "unmarked"])
def test_what_stands_after_an_entry_of_a_piped_zip_file_is_compared_with_it(mark: bytes) -> None:
    entries = {"a": order("100"), "b": order("200"), "c": order("300")}
    body = zipped(entries, streamed=True, level=0).replace(b"PK\x07\x08", mark)
    assert read(body) == [("1", "100"), ("2", "200"), ("3", "300")]
    wrong = "! the entry 'b': its check sum is wrong"
    assert read(body.replace(b"200", b"900", 1)) == [("1", "100"), ("2", wrong), ("3", "300")]
    said_ = struct.pack("<III", zlib.crc32(order("200")), len(order("200")) + 5, len(order("200")))
    for at in (4, 8):
        told = lying(said_, at, "<I", 7)
        assert read(body.replace(said_, told, 1)) == [
            ("1", "100"),
            ("2", "! the entry 'b': its size is wrong"),
            ("3", "300"),
        ]


def test_an_entry_of_a_piped_zip_file_that_breaks_ends_it() -> None:
    body = zipped({"a": order("1"), "b": order("2"), "c": order("3")}, streamed=True, level=0)
    at = body.index(order("2")) - 5  # its block: the kind, and the length twice
    first, (place, wrong) = read(lying(body, at, "B", 7))
    assert (first, place) == (("1", "1"), "2")
    assert wrong.startswith("! the entry 'b': it can't be unpacked: ")


class Counted:
    """A body that counts how often it is read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.size, self.times, self._body = len(data), 0, BytesBody(data)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        self.times += 1
        return self._body.chunks(size)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_zip_file_is_read_once_however_many_entries_it_has(streamed: bool) -> None:
    times = []
    for entries in (1, 100):
        body = Counted(zipped({f"{n}": order(f"{n}") for n in range(entries)}, streamed=streamed))
        assert len(list(unpacked_by("zip", ONE).read(body))) == entries
        times.append(body.times)
    assert times == [1, 1]


def lying(body: bytes, at: int, form: str, value: int) -> bytes:
    """A zip file whose first local header says something else at that place."""
    return body[:at] + struct.pack(form, value) + body[at + struct.calcsize(form) :]


@pytest.mark.parametrize(
    ("at", "form", "value", "found"),
    [
        (22, "<I", 1, [("1", "1"), ("2", "2")]),  # its size, unpacked: what really comes out counts
        (22, "<I", 0xFFFFFFFF, [("1", "1"), ("2", "2")]),
        (18, "<I", 5, [("1", "! the entry 'a.json': "), ("2", "! the zip file breaks off")]),  # its size, packed
        (18, "<I", 0xFFFFFFF0, [("1", "! ")]),
        (14, "<I", 7, [("1", "! the entry 'a.json': its check sum is wrong"), ("2", "2")]),
        (26, "<H", 3, [("1", "! "), ("2", "! ")]),  # the length of its name
        (28, "<H", 0xFFFF, [("1", "! ")]),  # the length of what is beside the name
        (
            30,
            "<H",
            0x2F2E,
            [("1", "1"), ("2", "2")],
        ),  # the name, unlike that of the directory: people see it, nothing else
    ],
)
def test_a_local_header_that_lies_gives_an_error_or_what_is_there(
    at: int, form: str, value: int, found: list[tuple[str, str]]
) -> None:
    body = zipped({"a.json": order("1"), "b.json": order("2")}, zipfile.ZIP_STORED)
    read_ = read(lying(body, at, form, value))
    assert [place for place, _ in read_][: len(found)] == [place for place, _ in found]
    assert all(said_.startswith(wanted) for (_, said_), (_, wanted) in zip(read_, found, strict=False)), read_


def test_a_directory_that_lies_is_not_asked() -> None:
    body = zipped({"a.json": order("1"), "b.json": order("2")})
    at = body.index(b"PK\x01\x02")
    assert read(body[:at] + body[at:].replace(b"a.json", b"../../")) == [("1", "1"), ("2", "2")]


@pytest.mark.parametrize("kind", ["gzip", "zip", "zip of many"])
def test_a_bomb_is_refused(kind: str) -> None:
    zeros = (b" " * 999 + b"\n") * 40_000
    if kind == "gzip":
        body = gzip.compress(zeros)
    else:
        body = zipped({"a": zeros} if kind == "zip" else {f"{n}": zeros[:4_000_000] for n in range(10)}, streamed=True)
    del zeros
    tracemalloc.start()
    try:
        found = said(list(unpacked_by("auto", LINES).read(BytesBody(body))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "refused as a bomb" in found[-1][1]
    assert peak < 8_000_000


def test_a_large_entry_is_read_in_flat_memory() -> None:
    rows = b"".join(b'{"number": "%d", "contract": "%s"}\n' % (n, os.urandom(200).hex().encode()) for n in range(6_000))
    body, size = gzip.compress(rows), len(rows)
    del rows
    tracemalloc.start()
    try:
        count = sum(1 for one in unpacked_by("gzip", LINES).read(BytesBody(body)) if one.document is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 6_000
    assert (size > 2_500_000, peak < 2_500_000 + 4 * (1 << 18)) == (True, True)


SIGNED = b"""MIME-Version: 1.0
Content-Type: multipart/signed; boundary=S; protocol="application/pkcs7-signature"

--S
Content-Type: application/edi-x12; name=a.edi
Content-Transfer-Encoding: base64

eyJudW1iZXIiOiAiMSJ9
--S
Content-Type: application/pkcs7-signature
Content-Transfer-Encoding: base64

AAAA
--S--
"""
MAIL = b"""Content-Type: multipart/mixed; boundary=M

--M
Content-Type: text/plain

Dear friends, here are the orders.
--M
Content-Type: application/json
Content-Disposition: attachment; filename="../a.json"
Content-Transfer-Encoding: quoted-printable

{"number": "caf=C3=A9"}
--M
Content-Type: text/plain; name=b.txt

{"number": "2"}
--M--
"""


def test_the_parts_of_a_mime_message_that_are_documents() -> None:
    assert read(SIGNED) == [("1", "1")]
    assert read(MAIL.replace(b"\n", b"\r\n"), "mime") == [("1", "café"), ("2", "2")]


def test_the_transport_may_say_the_boundary() -> None:
    body = MAIL.partition(b"\n\n")[2]
    assert read(body, headers={"content_type": "multipart/mixed; boundary=M"}) == [("1", "café"), ("2", "2")]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (MAIL.replace(b"multipart/mixed", b"multipart/encrypted"), "encrypted"),
        (b"Content-Type: application/pkcs7-mime\n\nAAAA", "encrypted"),
        (SIGNED.replace(b"eyJudW1iZXIiOiAiMSJ9", b"eyJudW1iZXIiO*!iMSJ9x"), "!"),
    ],
)
def test_mime_that_cannot_be_read(body: bytes, wrong: str) -> None:
    assert wrong in read(body)[0][1]


@pytest.mark.parametrize("name", [b"filename*=a; filename*0*=b; filename*1*=c", b"filename*0=a; filename*=utf-8''b"])
def test_a_part_whose_parameters_contradict_each_other_spoils_no_other(name: bytes) -> None:
    """The email package fails on them with a TypeError."""
    found = read(MAIL.replace(b'filename="../a.json"', name), "mime")
    assert [position for position, _ in found] == ["1", "2"]
    assert found[0][1].startswith("! the parameters of a MIME header contradict each other")
    assert found[1] == ("2", "2")


def nested(deep: int, kind: bytes = b"multipart/mixed; boundary=b%d", lines: int = 0) -> bytes:
    """A message of parts in parts, and empty lines in the innermost."""
    if b"%" not in kind:
        return (b"Content-Type: " + kind + b"\n\n") * deep + b"\n" * lines
    return b"".join(b"Content-Type: " + kind % n + b"\n\n--b%d\n" % n for n in range(deep)) + b"\n" * (lines + 1)


@pytest.mark.parametrize("kind", [b"multipart/mixed; boundary=b%d", b"message/rfc822"])
def test_parts_in_parts_are_refused_before_they_are_parsed(kind: bytes) -> None:
    assert read(nested(10, kind)) != [("1", "! MIME parts nested more than 10 deep")]
    assert read(nested(11, kind)) == [("1", "! MIME parts nested more than 10 deep")]

    def work(deep: int) -> None:
        unpacked = unpacked_by("mime", ONE).read(BytesBody(nested(deep, kind, 20_000)))
        assert said(list(unpacked)) == [("1", "! MIME parts nested more than 10 deep")]

    assert growth(work, 30, 480) < 10  # 16 times as deep, and as many lines


@pytest.mark.parametrize("header", [b"Content-Type: application/json", b"Content-Disposition: attachment"])
def test_a_header_that_goes_on_and_on_is_refused(header: bytes) -> None:
    assert read(header + b";" * 3900 + b"\n\n" + order("1"), "mime") == [("1", "1")]
    for long in (b";" * 4000, b'; a="' + b"\n ;" * 2000):
        found = read(header + long + b"\n\n" + order("1"), "mime")
        assert found == [("1", "! a MIME header of more than 4000 characters")]


def test_a_header_without_parameters_may_be_long() -> None:
    assert read(b"To: " + b"friend@example.com, \n " * 1000 + b"\nMIME-Version: 1.0\n\n" + order("1"), "mime") == [
        ("1", "1")
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["gzip", "zip", "mime", "auto"]), st.integers(0, 200))
def test_any_bytes_give_readings_and_nothing_else(data: bytes, kind: str, cut: int) -> None:
    for body in (
        data,
        zipped({"a": order("1")})[:cut] + data,
        gzip.compress(order("1"))[:cut] + data,
        SIGNED[:cut] + data,
    ):
        found = list(unpacked_by(kind, ONE).read(BytesBody(body)))
        assert all((one.document is None) != (one.error is None) for one in found)
