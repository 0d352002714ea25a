"""Documents as JSON: canonical, without loss, and refused with the path of what is wrong.

Numbers are strings (`"price": "9.25"`): what was written is what is read, digit by digit. Dates are ISO (`2010-11-27`).
Fields that have their default are left out. The same document always gives the same bytes.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NoReturn

import jiter
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.core.errors import DecodeError
from hub.documents.acknowledgments.application_advice import ApplicationAdvice
from hub.documents.acknowledgments.functional_acknowledgment import FunctionalAcknowledgment
from hub.documents.acknowledgments.interchange_acknowledgment import InterchangeAcknowledgment
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

DOCUMENTS: Mapping[str, type[Document]] = MappingProxyType(
    {
        cls.kind: cls
        for cls in (
            Order,
            ShipNotice,
            Invoice,
            FunctionalAcknowledgment,
            InterchangeAcknowledgment,
            WarehouseOrder,
            WarehouseAdvice,
            OrderAcknowledgment,
            OrderChange,
            OrderChangeAcknowledgment,
            InventoryAdvice,
            PriceCatalog,
            ShipmentStatus,
            Remittance,
            ApplicationAdvice,
            StockTransfer,
            StockReceipt,
            GoodsReturn,
            ReceivingAdvice,
            OrderStatus,
            PlanningSchedule,
            ShippingSchedule,
            ProductActivity,
            ProductTransfer,
            LoadTender,
            LoadTenderResponse,
            FreightInvoice,
            OrganizationRelationships,
            ShipmentBilling,
        )
    }
)
"""All kinds of document, by the name that routes use."""

ACKNOWLEDGMENTS = frozenset((FunctionalAcknowledgment.kind, InterchangeAcknowledgment.kind))
"""Kinds that acknowledge what was sent: they never wait in a batch, and no step of a source changes them."""

MAX_JSON = 256 << 20
"""Bytes of one document. A canonical document is far smaller; beyond it something is wrong."""

_BY_NAME: Mapping[str, type[Document]] = {f"{cls.kind}@{cls.version}": cls for cls in DOCUMENTS.values()}
_PREFIX = {cls: f'{{"document":"{name}"'.encode() for name, cls in _BY_NAME.items()}
_TWICE = "Detected duplicate key "
_FRACTION = re.compile(rb"[:,\[]\s*-?\d+(?:\.\d|[eE])")
_NAME = re.compile(rb'\s*\{\s*"document"\s*:\s*"([a-z_]{1,40}@\d{1,6})"')


class _Head(BaseModel):
    model_config = ConfigDict(extra="ignore")

    document: str


def document_name(document: Document) -> str:
    """`order@1`: the kind and the version, as the first key of its JSON says them."""
    return f"{document.kind}@{document.version}"


def to_json(document: Document) -> bytes:
    """The canonical JSON of a document. `from_json` of it is equal to the document."""
    raw = document.__pydantic_serializer__.to_json(document, exclude_defaults=True)
    return _PREFIX[type(document)] + (b"," if len(raw) > 2 else b"") + raw[1:]


def from_json(data: bytes, expect: str | None = None) -> Document:
    """The document that the JSON is. `expect` (`order@1`) refuses any other, and allows the key `document` to be
    missing.

    Raises DecodeError, which names the JSON path, what was found there and what was expected.
    """
    if len(data) > MAX_JSON:
        raise DecodeError(f"the JSON has {len(data)} bytes, more than the {MAX_JSON} that a document may have")
    cls = _class_of(data, expect)
    try:
        return cls.__pydantic_validator__.validate_json(data)  # type: ignore[no-any-return]
    except ValidationError as error:
        if _FRACTION.search(data) and any(problem["type"] == "number" for problem in error.errors()):
            return _from_numbers(cls, data)
        _refuse(cls, error)


def from_foreign_json(data: bytes, expect: str | None = None) -> Document:
    """As `from_json`, for what others wrote: a key that stands twice in an object is refused, because nobody knows
    which they meant. A byte-order mark before it doesn't count. Raises DecodeError, which says the line and column."""
    data = data.removeprefix(BOM_UTF8)
    document = from_json(data, expect)
    try:
        jiter.from_json(data, catch_duplicate_keys=True)
    except ValueError as error:
        text = str(error)
        if text.startswith(_TWICE):
            name, _, place = text.removeprefix(_TWICE).rpartition(" at ")
            raise DecodeError(f"the key {name[:80]} stands twice in an object, at {place}") from None
    return document


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a document: what `from_json` takes. Raises KeyError for an unknown kind."""
    schema = DOCUMENTS[kind].model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def document_class(name: str) -> type[Document]:
    """The class of `order@1`. Raises DecodeError for what isn't known, saying what is."""
    if cls := _BY_NAME.get(name):
        return cls
    kind = name.partition("@")[0]
    known = ", ".join(_BY_NAME)
    near = get_close_matches(name, list(_BY_NAME), 1)
    if kind in DOCUMENTS:
        text = f"the document {name!r} has a version that isn't known; known: {known}"
    else:
        text = f"the document {name!r} isn't known; known: {known}"
    raise DecodeError(text + (f" (did you mean {near[0]!r}?)" if near else ""), segment="$.document")


def _class_of(data: bytes, expect: str | None) -> type[Document]:
    found = _NAME.match(data)
    name = found[1].decode() if found else _read_name(data, expect)
    if expect is not None and name != expect:
        document_class(expect)
        raise DecodeError(f"found the document {name!r}, expected {expect!r}", segment="$.document")
    return document_class(name)


def _read_name(data: bytes, expect: str | None) -> str:
    """The name of a document whose first key isn't `document`."""
    try:
        return _Head.__pydantic_validator__.validate_json(data).document  # type: ignore[no-any-return]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "missing":
            if expect is not None:
                return expect
            known = ", ".join(_BY_NAME)
            raise DecodeError(
                f"there is no key 'document' that says what it is; expected one of {known}", segment="$"
            ) from None
        _refuse(Document, error)


def _from_numbers(cls: type[Document], data: bytes) -> Document:
    """The way for JSON that holds numbers with a fraction: they become Decimals, never floats."""
    try:
        value = json.loads(data, parse_float=_decimal, parse_constant=_constant)
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    except (ValueError, InvalidOperation) as error:
        offset = getattr(error, "pos", getattr(error, "start", None))
        raise DecodeError(f"not JSON: {error}", offset=offset if isinstance(offset, int) else None) from None
    try:
        return cls.__pydantic_validator__.validate_python(value)  # type: ignore[no-any-return]
    except ValidationError as error:
        _refuse(cls, error)


def _decimal(text: str) -> Decimal:
    if len(text) > 64:
        raise ValueError(f"a number of {len(text)} characters, expected at most 64")
    return Decimal(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"found {text}, which JSON doesn't have")


def _refuse(cls: type[Document], error: ValidationError) -> NoReturn:
    """Says the first thing that is wrong, and how many more there are."""
    problems = error.errors(include_url=False, include_context=True)
    first = problems[0]
    kind = first["type"]
    if kind == "json_invalid":
        raise DecodeError(f"not JSON: {first['msg'].removeprefix('Invalid JSON: ')}") from None
    path = "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
    more = f"; {len(problems) - 1} more" if len(problems) > 1 else ""
    if kind == "extra_forbidden":
        name = str(first["loc"][-1])
        near = get_close_matches(name, list(cls.model_fields), 1) if len(first["loc"]) == 1 else []
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise DecodeError(f"the key {name[:80]!r} isn't known{hint}{more}", segment=path) from None
    if kind == "missing":
        raise DecodeError(f"the key {first['loc'][-1]!r} is missing{more}", segment=path) from None
    found = repr(first.get("input"))
    found = found if len(found) <= 80 else found[:77] + "..."
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Decimal input should be ")
    raise DecodeError(f"found {found}, expected {expected}{more}", segment=path) from None
