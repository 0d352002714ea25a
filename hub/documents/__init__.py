"""Floor 0: the canonical documents. Pure."""

from hub.documents.acknowledgments.application_advice import ApplicationAdvice
from hub.documents.acknowledgments.functional_acknowledgment import FunctionalAcknowledgment
from hub.documents.acknowledgments.interchange_acknowledgment import InterchangeAcknowledgment
from hub.documents.base import Document
from hub.documents.batch import BATCH, Batch, batch_from_json, batch_to_json
from hub.documents.billing.invoice import Invoice
from hub.documents.billing.remittance import Remittance
from hub.documents.billing.shipment_billing import ShipmentBilling
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
