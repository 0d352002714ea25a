"""XML that a template writes: escaped by itself, and what its schema says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from hub.core.errors import ConfigError, MappingError
from hub.core.ports import WriteContext
from hub.documents import Order
from tests.unit.transformers.reading import built
from transformers.template import PLUGIN

CONTEXT = WriteContext("d", "erp", "k", datetime(2026, 3, 2, tzinfo=UTC), {"partner": "ACME"})
ORDER = """\
<?xml version="1.0" encoding="UTF-8"?>
<o:Order xmlns:o="urn:example:orders" ref="{{ document.contract or "" }}">
  <o:Number>{{ document.number }}</o:Number>
  <o:Lines>{{ document.lines | length }}</o:Lines>
</o:Order>
"""
SCHEMA = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:orders" xmlns="urn:example:orders"
 elementFormDefault="qualified">
 <xs:include schemaLocation="types.xsd"/>
 <xs:element name="Order"><xs:complexType><xs:sequence>
   <xs:element name="Number" type="Number"/><xs:element name="Lines" type="xs:positiveInteger"/>
  </xs:sequence><xs:attribute name="ref"/></xs:complexType></xs:element>
</xs:schema>"""
TYPES = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:orders" xmlns="urn:example:orders">
 <xs:simpleType name="Number"><xs:restriction base="xs:string"><xs:maxLength value="10"/></xs:restriction></xs:simpleType>
</xs:schema>"""  # noqa: E501
FILES = {
    "routes/templates/order.xml.j2": ORDER,
    "routes/schemas/order.xsd": SCHEMA,
    "routes/schemas/types.xsd": TYPES,
}
HOSTILE = """"></o:Number><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x a='1'>&e;]]>"""


def written(order: Order, options: str = "{template: order.xml.j2}", **files: str) -> bytes:
    return built(PLUGIN, options, {**FILES, **files}).write(order, CONTEXT).body  # type: ignore[no-any-return]


def test_a_hostile_value_stays_a_value() -> None:
    root = etree.fromstring(written(Order(number=HOSTILE, contract=HOSTILE)))
    assert root.findtext("{urn:example:orders}Number") == HOSTILE
    assert root.get("ref") == HOSTILE
    assert [child.tag for child in root] == ["{urn:example:orders}Number", "{urn:example:orders}Lines"]


def test_a_character_that_xml_does_not_have_is_refused() -> None:
    with pytest.raises(MappingError, match=r"the output of order.xml.j2 isn't well-formed XML"):
        written(Order(number="1\x00"))


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        (Order(number="1"), "the output of order.xml.j2: line 4: Element '{urn:example:orders}Lines'"),
        (Order(number="12345678901", lines=({},)), "line 3: Element '{urn:example:orders}Number'"),  # type: ignore[arg-type]
    ],
)
def test_what_the_schema_forbids_is_said_with_line_and_element(order: Order, wrong: str) -> None:
    with pytest.raises(MappingError) as caught:
        written(order, "{template: order.xml.j2, schema: order.xsd}")
    assert wrong in str(caught.value)
    assert "(as order.xsd wants it)" in str(caught.value)


def test_what_the_schema_allows_is_written() -> None:
    order = Order.model_validate({"number": "1", "lines": [{}]})
    assert b"<o:Lines>1</o:Lines>" in written(order, "{template: order.xml.j2, schema: order.xsd}")


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ("<xs:schema", "routes/schemas/order.xsd: "),
        (SCHEMA.replace("types.xsd", "../../config/hub.yaml"), "routes/schemas/order.xsd: "),
        (SCHEMA.replace("types.xsd", "http://127.0.0.1:9/types.xsd"), "routes/schemas/order.xsd: "),
        (SCHEMA.replace('type="Number"', 'type="Nmber"'), "routes/schemas/order.xsd: "),
    ],
)
def test_a_schema_that_is_none_is_found_when_it_is_loaded(schema: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        written(
            Order(number="1"), "{template: order.xml.j2, schema: order.xsd}", **{"routes/schemas/order.xsd": schema}
        )
