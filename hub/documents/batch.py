"""Several documents of one kind that go to a partner together, in one interchange."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, ValidationError, field_serializer

from hub.core.errors import DecodeError
from hub.documents.acknowledgments.application_advice import ApplicationAdvice
from hub.documents.base import Document
from hub.documents.billing.invoice import Invoice
from hub.documents.billing.remittance import Remittance
from hub.documents.billing.shipment_billing import ShipmentBilling
from hub.documents.orders.goods_return import GoodsReturn
from hub.documents.orders.order import Order
from hub.documents.orders.order_acknowledgment import OrderAcknowledgment
from hub.documents.orders.order_change import OrderChange
from hub.documents.orders.order_change_acknowledgment import OrderChangeAcknowledgment
from hub.documents.orders.order_status import OrderStatus
from hub.documents.orders.organization_relationships import OrganizationRelationships
from hub.documents.orders.planning_schedule import PlanningSchedule
from hub.documents.orders.price_catalog import PriceCatalog
from hub.documents.orders.shipping_schedule import ShippingSchedule
from hub.documents.transport.freight_invoice import FreightInvoice
from hub.documents.transport.load_tender import LoadTender
from hub.documents.transport.load_tender_response import LoadTenderResponse
from hub.documents.transport.ship_notice import ShipNotice
from hub.documents.transport.shipment_status import ShipmentStatus
from hub.documents.warehouse.inventory_advice import InventoryAdvice
from hub.documents.warehouse.product_activity import ProductActivity
from hub.documents.warehouse.product_transfer import ProductTransfer
from hub.documents.warehouse.receiving_advice import ReceivingAdvice
from hub.documents.warehouse.stock_receipt import StockReceipt
from hub.documents.warehouse.stock_transfer import StockTransfer
from hub.documents.warehouse.warehouse_advice import WarehouseAdvice
from hub.documents.warehouse.warehouse_order import WarehouseOrder

BATCH: Final = "batch@1"

BatchedDocument = Annotated[
    Order
    | ShipNotice
    | Invoice
    | WarehouseOrder
    | WarehouseAdvice
    | OrderAcknowledgment
    | OrderChange
    | OrderChangeAcknowledgment
    | InventoryAdvice
    | PriceCatalog
    | ShipmentStatus
    | Remittance
    | ApplicationAdvice
    | StockTransfer
    | StockReceipt
    | GoodsReturn
    | ReceivingAdvice
    | OrderStatus
    | PlanningSchedule
    | ShippingSchedule
    | ProductActivity
    | ProductTransfer
    | LoadTender
    | LoadTenderResponse
    | FreightInvoice
    | OrganizationRelationships
    | ShipmentBilling,
    Field(discriminator="document"),
]
"""What can go in a batch: every document but the acknowledgments, which wait for nobody."""


class Batch(Document):
    """What the hub makes of documents that wait for each other. Only the hub makes it: it is no document that comes in,
    and no route asks for it. `number` is the beginning of the batch's id, `documents` stand in the order in which they
    go."""

    kind: ClassVar[str] = "batch"

    document: Literal["batch@1"] = BATCH
    documents: tuple[BatchedDocument, ...] = Field(min_length=1)

    @field_serializer("documents")
    def _dump_with_names(self, documents: tuple[Document, ...]) -> list[dict[str, Any]]:
        """Each with its name, which is a default and would be left out."""
        return [
            {"document": document.document, **document.model_dump(mode="json", exclude_defaults=True)}
            for document in documents
        ]


def batch_to_json(batch: Batch) -> bytes:
    """The same batch always gives the same bytes."""
    raw = batch.model_dump_json(exclude_defaults=True).encode()
    return f'{{"document":"{BATCH}",'.encode() + raw[1:]


def batch_from_json(data: bytes) -> Batch:
    """The batch that the hub made. Raises DecodeError."""
    try:
        return Batch.model_validate_json(data)
    except ValidationError as error:
        raise DecodeError(f"not a batch that the hub made: {error.errors(include_url=False)[0]['msg']}") from None
