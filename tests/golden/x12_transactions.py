"""One transaction in an interchange of its own: made of its segments, read, and written again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hub.core.agreement import Agreement, InterchangeId, Separators
from hub.core.ports import Reading
from hub.documents import Document
from tests.golden.x12_files import read
from transformers.x12.declarations.catalogue import NEWEST, set_declaration
from transformers.x12.writing.writer import write_interchange

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


def interchange(name: str, segments: Sequence[str], version: str = "004010") -> bytes:
    """A transaction of the set, whose segments between ST and SE these are."""
    day = "260105" if version < "004010" else "20260105"
    texts = [
        "ISA*00*          *00*          *01*043645501      *01*068717859      *260105*0930*U*00401*000000001*0*P*>",
        f"GS*{set_declaration(name, NEWEST).group}*043645501*068717859*{day}*0930*1*X*{version}",
        f"ST*{name}*0001",
        *segments,
        f"SE*{len(segments) + 2}*0001",
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return "".join(f"{text}~\n" for text in texts).encode()


def read_one(name: str, segments: Sequence[str], version: str = "004010") -> Reading:
    (reading,) = read(interchange(name, segments, version))
    return reading


def document_of(name: str, segments: Sequence[str], version: str = "004010") -> Document:
    reading = read_one(name, segments, version)
    assert reading.document is not None, reading.error
    return reading.document


def written(document: Document, name: str, version: str = "004010") -> list[str]:
    """The segments between ST and SE that the document is written as."""
    agreement = Agreement(
        "ACME",
        (InterchangeId("01", "043645501"),),
        InterchangeId("01", "068717859"),
        version=version,
        separators=Separators(component=">", terminator="~"),
        send=(name,),
    )
    body = write_interchange([document], agreement, 1, AT).body.decode()
    return [segment.strip("\n") for segment in body.split("~")][3:-4]
