"""By which numbers people find the documents that warehouses, carriers, banks and applications send."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from hub.core.ports import FileBody
from hub.documents import (
    ApplicationAdvice,
    Document,
    FunctionalAcknowledgment,
    LoadTenderResponse,
    OrderStatus,
    OrganizationRelationships,
    PlanningSchedule,
    ProductActivity,
    ReceivingAdvice,
    Remittance,
    ShipmentStatus,
    StockReceipt,
    StockTransfer,
    WarehouseAdvice,
    WarehouseOrder,
)
from tests.golden.x12_files import FIXTURES, read

D = TypeVar("D", bound=Document)


def document(cls: type[D], name: str) -> D:
    """The first document of a fixture."""
    found = read(FileBody(FIXTURES / f"{name}.edi"))[0].document
    assert isinstance(found, cls)
    return found


def test_a_warehouse_order_is_found_by_its_number_and_that_of_the_purchase_order() -> None:
    order = document(WarehouseOrder, "940-shipping-order")
    assert order.keys == (("warehouse_order", "DO-55120"), ("order", "4500771823"))
    assert [line.products["VN"] for line in order.lines] == ["BW-1201", "BW-1330"]
    assert (order.carrier, order.ship_to and order.ship_to.id) == ("CLHL", "0114")
    assert (order.requested_ship, order.delivery_requested) == (datetime.date(2026, 3, 5), datetime.date(2026, 3, 7))


def test_a_warehouse_advice_is_found_by_the_order_the_shipment_and_the_bill_of_lading() -> None:
    advice = document(WarehouseAdvice, "945-shipping-advice")
    assert advice.keys == (
        ("warehouse_order", "DO-55120"),
        ("order", "4500771823"),
        ("shipment", "SHP-20260305-07"),
        ("bol", "BOL-771204"),
    )
    assert [(line.ordered, line.shipped) for line in advice.lines] == [(Decimal(120), Decimal(112)), (Decimal(40),) * 2]
    assert advice.groups[0].sscc == "00100438412300000017"
    assert WarehouseAdvice().keys == ()


def test_a_shipment_status_is_found_by_every_number_that_the_carrier_names() -> None:
    status = document(ShipmentStatus, "214-carrier-status")
    assert status.keys == (
        ("carrier_reference", "5512087"),
        ("shipment", "SHP-20260305-07"),
        ("bol", "BOL-771204"),
        ("order", "4500771823"),
    )
    assert status.last is not None
    assert (status.last.status, status.bill_of_lading) == ("AF", "BOL-771204")


def test_a_carrier_may_name_the_bill_of_lading_instead_of_its_own_number() -> None:
    status = document(ShipmentStatus, "214-5010")
    assert status.number == ""
    assert status.keys == (
        ("shipment", "SHP-20260309-02"),
        ("bol", "BOL-771260"),
        ("order", "4500771900"),
        ("order", "4500771901"),
    )
    assert [s.status for s in status.statuses] == ["X1", "D1"]


def test_a_remittance_is_found_by_its_trace_and_by_what_it_pays() -> None:
    paid = document(Remittance, "820-remittance")
    assert paid.keys == (("payment", "EFT-20260312-118"), ("invoice", "INV-88120"), ("invoice", "INV-88177"))
    assert (paid.total, paid.total_computed) == (Decimal("18422.31"), False)
    assert paid.remit_to is None
    assert Remittance().keys == ()


def test_an_application_advice_is_found_by_the_documents_and_the_groups_that_it_is_about() -> None:
    advice = document(ApplicationAdvice, "824-application-advice")
    assert advice.keys == (("invoice", "INV-88120"), ("invoice", "INV-88121"), ("group_control_number", "88"))
    assert advice.rejected
    assert not document(ApplicationAdvice, "824-5010").rejected


def test_an_acknowledgment_is_found_by_the_group_that_it_acknowledges() -> None:
    assert document(FunctionalAcknowledgment, "997-partial").keys == (("group_control_number", "1204"),)
    assert document(FunctionalAcknowledgment, "999-implementation").keys == (("group_control_number", "7"),)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("875-order", [("order", "4500772001")]),
        ("880-invoice", [("invoice", "INV-77120"), ("order", "4500772001")]),
        ("180-return", [("return", "RMA-7710"), ("order", "4500771823"), ("invoice", "INV-77120")]),
        (
            "943-stock-transfer",
            [("stock_transfer", "TR-30417"), ("order", "4500772001"), ("shipment", "SH-88120"), ("bol", "BOL-5512")],
        ),
        (
            "944-stock-receipt",
            [
                ("stock_receipt", "RC-5120"),
                ("stock_transfer", "TR-30417"),
                ("shipment", "SH-88120"),
                ("bol", "BOL-5512"),
            ],
        ),
        (
            "861-receiving-advice",
            [("receiving_advice", "RV-90017"), ("order", "4500771823"), ("shipment", "SH-88120"), ("bol", "BOL-5512")],
        ),
        ("870-status", [("order_status", "ST-6610"), ("order", "4500771823"), ("order", "4500771900")]),
        ("830-forecast", [("planning_schedule", "FC-2026-10"), ("order", "4500772001")]),
        ("862-shipping-schedule", [("shipping_schedule", "SS-2026-77"), ("order", "4500772001")]),
        ("852-activity", []),
        ("867-transfer", [("product_transfer", "PT-2026-03")]),
        (
            "204-load-tender",
            [("shipment", "SH-88120"), ("bol", "BOL-5512"), ("order", "4500771823"), ("order", "4500771900")],
        ),
        (
            "210-freight",
            [
                ("freight_invoice", "PRO-91022"),
                ("shipment", "SH-88120"),
                ("carrier_reference", "PRO-91022"),
                ("bol", "BOL-5512"),
                ("order", "4500771823"),
            ],
        ),
        ("990-5010", [("shipment", "SH-88121"), ("bol", "BOL-5514")]),
        ("816-organizations", [("organization_relationships", "OR-2026-3")]),
        ("857-ship-bill", [("shipment_billing", "SB-44120")]),
    ],
)
def test_a_document_is_found_by_its_numbers(name: str, keys: list[tuple[str, str]]) -> None:
    assert list(document(Document, name).keys) == keys


def test_a_schedule_without_a_number_is_found_by_its_release() -> None:
    assert PlanningSchedule(release="0012").keys == (("release", "0012"),)


def test_what_people_ask_of_the_new_documents() -> None:
    transfer, receipt = document(StockTransfer, "943-stock-transfer"), document(StockReceipt, "944-5010")
    assert (transfer.carrier, transfer.expected) == ("CLHL", None)
    assert [line.quantity for line in receipt.all_lines] == [Decimal(40), Decimal(20)]
    received = document(ReceivingAdvice, "861-receiving-advice")
    assert received.lines[0].products["VN"] == "BF-4400"
    assert [(d.quantity, d.condition) for d in received.lines[0].discrepancies] == [
        (Decimal(1), "01"),
        (Decimal(1), "02"),
    ]
    states = [level.level for level in document(OrderStatus, "870-status").walk()]
    assert states == ["order", "item", "item", "order"]
    accepted, declined = (document(LoadTenderResponse, name).accepted for name in ("990-response", "990-5010"))
    assert (accepted, declined) == (True, False)
    places = document(OrganizationRelationships, "816-organizations").walk()
    assert [party.id for level in places for party in level.parties] == ["0438412310000", "0114", "0114B", "0220"]
    sold = document(ProductActivity, "852-activity").items[0]
    assert (sold.quantity("QS"), sold.quantity("QA", "QS"), sold.quantity("QR")) == (Decimal(21), Decimal(139), None)
