"""Floor 0: the canonical documents. Pure."""

from hub.documents.base import Document
from hub.documents.codec import DOCUMENTS, document_class, document_name, from_json, json_schema, to_json
from hub.documents.functional_acknowledgment import FunctionalAcknowledgment
from hub.documents.invoice import Invoice
from hub.documents.order import Order
from hub.documents.ship_notice import ShipNotice

__all__ = [
    "DOCUMENTS",
    "Document",
    "FunctionalAcknowledgment",
    "Invoice",
    "Order",
    "ShipNotice",
    "document_class",
    "document_name",
    "from_json",
    "json_schema",
    "to_json",
]
