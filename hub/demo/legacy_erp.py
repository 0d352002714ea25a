"""The demo's older ERP, by SOAP 1.1: it takes some orders, is locked for one, and holds one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from xml.sax.saxutils import escape

from hub.demo.web_server import Answer

SPACE = "urn:example:legacy-erp"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(slots=True)
class LegacyErp:
    """What it is told of order numbers: `locked` maps one to how many times it answers that somebody edits the
    customer; `hold` wants a decision about credit."""

    locked: Mapping[str, int] = field(default_factory=dict)
    hold: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)
    taken: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The operation CreateOrder of routes/schemas/legacy-erp.wsdl."""
        from hub.core.replies.reply_xml import safe_xml  # lxml takes its time

        root = safe_xml(body)
        number = root.findtext(f"{{{SOAP}}}Body/{{{SPACE}}}CreateOrder/{{{SPACE}}}number") if root is not None else None
        if number is None:
            return fault("Client", "this is no CreateOrder")
        with self._lock:
            self.seen[number] += 1
            if self.seen[number] <= self.locked.get(number, 0):
                return fault("Server.Locked", "the customer is being edited")
            if number in self.hold:
                return fault("Client.CreditHold", "the customer is over the credit limit")
            self.taken.append(number)
            return created(f"L-{5000 + len(self.taken)}", number)


def created(order_id: str, number: str) -> Answer:
    answer = f"<orderId>{order_id}</orderId><number>{escape(number)}</number>"
    return 200, envelope(f'<CreateOrderResponse xmlns="{SPACE}">{answer}</CreateOrderResponse>')


def fault(code: str, text: str) -> Answer:
    return 500, envelope(f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>{text}</faultstring></s:Fault>")


def envelope(inner: str) -> bytes:
    """`inner` as the body of a message."""
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()
