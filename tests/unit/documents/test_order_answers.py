"""What an answer to an order, a change of it, an inventory advice and a price catalog say about themselves."""

from __future__ import annotations

from decimal import Decimal

from hub.documents import InventoryAdvice, OrderAcknowledgment, OrderChange, OrderChangeAcknowledgment, PriceCatalog
from hub.documents.orders.order_acknowledgment import AcknowledgedLine
from hub.documents.orders.order_change import ChangedLine
from hub.documents.orders.price_catalog import CatalogItem, CatalogPrice
from hub.documents.parts.line import Line
from hub.documents.parts.parts import MonetaryAmount, Reference
from hub.documents.warehouse.inventory_advice import StockItem, StockQuantity


def test_the_total_of_an_answer_is_what_its_sender_states_and_never_computed() -> None:
    line = AcknowledgedLine(quantity=Decimal(3), price=Decimal("1.50"))
    silent = OrderAcknowledgment(number="PO-1", lines=(line,))
    assert isinstance(line, Line)
    assert line.amount == Decimal("4.50")
    assert silent.total is None
    stated = OrderChange(number="PO-1", amounts=(MonetaryAmount(qualifier="TT", value=Decimal("99.90")),))
    assert stated.total == Decimal("99.90")
    assert not stated.total_computed


def test_answers_are_found_by_the_numbers_of_both_sides_and_of_the_final_customer() -> None:
    customer = (Reference(qualifier="CO", value="WEB-7"),)
    answer = OrderAcknowledgment(number="PO-1", reference="SO-9", references=customer)
    assert answer.keys == (("order", "PO-1"), ("customer_order", "WEB-7"), ("seller_order", "SO-9"))
    assert OrderChangeAcknowledgment(number="PO-1", reference="SO-9").keys[-1] == ("seller_order", "SO-9")
    assert OrderChange(number="PO-1", reference="SO-9", lines=(ChangedLine(change="DI"),)).keys == (("order", "PO-1"),)


def test_a_stock_item_sums_the_quantities_with_a_qualifier() -> None:
    item = StockItem(
        quantities=(
            StockQuantity(qualifier="33", value=Decimal("12.5")),
            StockQuantity(qualifier="33", value=Decimal(7)),
            StockQuantity(qualifier="29", value=Decimal(100)),
            StockQuantity(qualifier="17", text="count due"),
        )
    )
    assert item.quantity("33") == Decimal("19.5")
    assert item.quantity("29", "33") == Decimal("119.5")
    assert item.quantity("17") is None
    assert InventoryAdvice(number="INV-1", items=(item,)).keys == (("inventory_advice", "INV-1"),)


def test_a_catalog_item_has_its_prices_by_code_and_a_catalog_may_have_no_number() -> None:
    item = CatalogItem(prices=(CatalogPrice(code="WHL", price=Decimal("0.87")), CatalogPrice(code="RES")))
    assert (found := item.price("WHL")) is not None
    assert found.price == Decimal("0.87")
    assert item.price("CON") is None
    assert PriceCatalog(items=(item,)).keys == ()
