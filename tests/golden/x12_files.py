"""Where the X12 files of the tests stand, and how they are read."""

from __future__ import annotations

from pathlib import Path

from hub.core.partners import Agreement, InterchangeId, PartnerDirectory
from hub.core.ports import Body, BytesBody, Reading
from transformers.x12 import X12Reader

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "x12"
SHIPPED = ROOT / "routes" / "fixtures"
SAMPLES = ROOT.parent / "shared" / "samples" / "x12"

PARTNERS = PartnerDirectory(
    [
        Agreement("ACME", (InterchangeId("01", "043645501"),)),
        Agreement("BOLT", (InterchangeId("ZZ", "BOLTSUPPLY"),)),
    ]
)


def read(body: Body | bytes, *only: str) -> list[Reading]:
    """All that is in a body."""
    return list(X12Reader(PARTNERS, only).read(BytesBody(body) if isinstance(body, bytes) else body))
