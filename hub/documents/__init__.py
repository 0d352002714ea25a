"""Floor 0: the canonical documents. Pure."""

from hub.documents.application_advice import ApplicationAdvice
from hub.documents.base import Document
from hub.documents.batch import BATCH, Batch, batch_from_json, batch_to_json
from hub.documents.codec import (
    ACKNOWLEDGMENTS,
    DOCUMENTS,
    document_class,
    document_name,
    from_foreign_json,
    from_json,
    json_schema,
    to_json,
)
from hub.documents.freight_invoice import FreightInvoice
from hub.documents.functional_acknowledgment import FunctionalAcknowledgment
from hub.documents.goods_return import GoodsReturn
from hub.documents.interchange_acknowledgment import InterchangeAcknowledgment
from hub.documents.inventory_advice import InventoryAdvice
from hub.documents.invoice import Invoice
from hub.documents.load_tender import LoadTender
from hub.documents.load_tender_response import LoadTenderResponse
from hub.documents.order import Order
from hub.documents.order_acknowledgment import OrderAcknowledgment
from hub.documents.order_change import OrderChange
from hub.documents.order_change_acknowledgment import OrderChangeAcknowledgment
from hub.documents.order_status import OrderStatus
from hub.documents.organization_relationships import OrganizationRelationships
from hub.documents.planning_schedule import PlanningSchedule
from hub.documents.price_catalog import PriceCatalog
from hub.documents.product_activity import ProductActivity
from hub.documents.product_transfer import ProductTransfer
from hub.documents.receiving_advice import ReceivingAdvice
from hub.documents.remittance import Remittance
from hub.documents.ship_notice import ShipNotice
from hub.documents.shipment_billing import ShipmentBilling
from hub.documents.shipment_status import ShipmentStatus
from hub.documents.shipping_schedule import ShippingSchedule
from hub.documents.stock_receipt import StockReceipt
from hub.documents.stock_transfer import StockTransfer
from hub.documents.warehouse_advice import WarehouseAdvice
from hub.documents.warehouse_order import WarehouseOrder

__all__ = [
    "ACKNOWLEDGMENTS",
    "BATCH",
    "DOCUMENTS",
    "ApplicationAdvice",
    "Batch",
    "Document",
    "FreightInvoice",
    "FunctionalAcknowledgment",
    "GoodsReturn",
    "InterchangeAcknowledgment",
    "InventoryAdvice",
    "Invoice",
    "LoadTender",
    "LoadTenderResponse",
    "Order",
    "OrderAcknowledgment",
    "OrderChange",
    "OrderChangeAcknowledgment",
    "OrderStatus",
    "OrganizationRelationships",
    "PlanningSchedule",
    "PriceCatalog",
    "ProductActivity",
    "ProductTransfer",
    "ReceivingAdvice",
    "Remittance",
    "ShipNotice",
    "ShipmentBilling",
    "ShipmentStatus",
    "ShippingSchedule",
    "StockReceipt",
    "StockTransfer",
    "WarehouseAdvice",
    "WarehouseOrder",
    "batch_from_json",
    "batch_to_json",
    "document_class",
    "document_name",
    "from_foreign_json",
    "from_json",
    "json_schema",
    "to_json",
]
