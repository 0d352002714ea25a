"""A site that sends orders and invoices to a partner who takes several of them in one interchange."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.documents import Invoice, to_json
from tests.support.site import INBOX, SiteOnDisk, order

ROUTES = (
    INBOX
    + """\
  invoices:
    file: {folder: var/invoices, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: {json: invoice@1}
  answers:
    file: {folder: var/partner, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: x12
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [acme-out]
  - id: invoices
    when: {document: invoice, partner: ACME}
    to: [acme-out]
"""
)
PARTNER = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12:
  receive: ["850", "997"]
  send: ["850", "810", "997"]
  acknowledge: {with: "997"}
  expect_ack: {within: 60s, owner: acme-desk}
"""


class BatchSite(SiteOnDisk):
    """ACME takes three documents together, and each waits five minutes at most."""

    def __init__(self, folder: Path, *, amqp: str | None = None, journal: str = "var/hub.db") -> None:
        super().__init__(folder, amqp=amqp, journal=journal)
        (folder / "config/endpoints.yaml").unlink()
        self.write(
            "config/destinations.yaml",
            'acme-out:\n  file: {folder: var/out, name: "{set}_{control_number}.edi"}\n'
            "  write: {x12: ACME}\n  retry: fast\n",
        )
        self.agrees("{max: 3, wait: 5m}")
        self.write("routes/acme.yaml", ROUTES)

    def agrees(self, batch: str | None) -> None:
        """What the agreement says of batches."""
        self.write("config/partners/acme.yaml", PARTNER + (f"  batch: {batch}\n" if batch else ""))

    def orders(self, *numbers: str, **more: Any) -> None:
        """Drops an order for each number."""
        for number in numbers:
            self.drop(f"{number}.json", batched_order(number, **more))

    def invoice(self, number: str) -> None:
        line = {"number": "1", "quantity": "2", "unit": "EA", "price": "9.50"}
        values = {"number": number, "partner": "ACME", "date": "2026-03-02", "lines": [line]}
        document = Invoice.model_validate({**values, "totals": {"amount": "19.00"}})
        self.drop(f"{number}.json", to_json(document), "var/invoices")

    def sent(self) -> dict[str, list[str]]:
        """What lies in the partner's folder: the segments of each file, by its name."""
        files = sorted((self.folder / "var/out").glob("*.edi"))
        return {path.name: path.read_text().rstrip("~").split("~") for path in files}

    def transactions(self, name: str) -> list[str]:
        """The orders or invoices of a file of the partner's, as `0001 1001`."""
        return transactions(self.sent()[name])

    def answer(self, control_number: int, status: str, listed: Sequence[tuple[int, str]] = (), sent: int = 3) -> None:
        """A 997 of the partner's for a group of ours. `listed`: transactions and what becomes of each."""
        inner = [f"AK1*PO*{control_number}"]
        for position, verdict in listed:
            inner += [f"AK2*850*{position:04d}", "AK5*R*5" if verdict == "R" else f"AK5*{verdict}"]
        refused = sum(verdict == "R" for _, verdict in listed)
        accepted = 0 if status == "R" else sent - refused
        inner.append(f"AK9*{status}*{sent}*{sent}*{accepted}")
        self._answers = getattr(self, "_answers", 0) + 1
        number = self._answers
        segments = [
            (
                "ISA*00*          *00*         "
                f" *01*{'043645501':<15}*01*{'068717859':<15}*260302*0815*U*00401*{number:09d}*0*P*>"
            ),
            f"GS*FA*043645501*068717859*20260302*0815*{number}*X*004010",
            *("ST*997*0001", *inner, f"SE*{len(inner) + 2}*0001"),
            *(f"GE*1*{number}", f"IEA*1*{number:09d}"),
        ]
        self.drop(f"997-{number}.edi", "".join(f"{one}~" for one in segments).encode(), "var/partner")


def batched_order(number: str, **more: Any) -> bytes:
    """An order that X12 can carry."""
    return order(number, **{"purpose": "00", "type": "SA", "date": "2026-03-02", **more})


def transactions(segments: Sequence[str]) -> list[str]:
    """`0001 1001` for each transaction of an interchange."""
    found, position = [], ""
    for segment in segments:
        elements = segment.split("*")
        if elements[0] == "ST":
            position = elements[2]
        elif elements[0] == "BEG":
            found.append(f"{position} {elements[3]}")
        elif elements[0] == "BIG":
            found.append(f"{position} {elements[2]}")
    return found
