"""A contract to be called by: two operations, SOAP 1.1 and 1.2, types in a file of their own."""

from __future__ import annotations

from pathlib import Path

ORDERS = "urn:example:orders"
TYPES = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:types" elementFormDefault="qualified"
    xmlns="urn:example:types">
  <xs:complexType name="Line">
    <xs:sequence><xs:element name="sku" type="xs:string"/><xs:element name="quantity" type="xs:positiveInteger"/></xs:sequence>
  </xs:complexType>
</xs:schema>
"""  # noqa: E501


def binding(version: str, namespace: str) -> str:
    return f"""\
  <binding name="Orders{version}" type="tns:Orders">
    <s{version}:binding xmlns:s{version}="{namespace}" style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="CreateOrder">
      <s{version}:operation xmlns:s{version}="{namespace}" soapAction="urn:create" style="document"/>
      <input><s{version}:body xmlns:s{version}="{namespace}" use="literal"/></input>
      <output><s{version}:body xmlns:s{version}="{namespace}" use="literal"/></output>
    </operation>
    <operation name="Notify">
      <s{version}:operation xmlns:s{version}="{namespace}" soapAction="urn:notify" style="document"/>
      <input><s{version}:body xmlns:s{version}="{namespace}" use="literal"/></input>
    </operation>
  </binding>
"""


def port(version: str, namespace: str) -> str:
    address = f'<s:address xmlns:s="{namespace}" location="http://localhost/replaced"/>'
    return f'    <port name="Port{version}" binding="tns:Orders{version}">{address}</port>\n'


SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"

WSDL = f"""\
<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="urn:example:orders" targetNamespace="urn:example:orders">
  <types>
    <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:example:types" targetNamespace="urn:example:orders"
        elementFormDefault="qualified">
      <xs:import namespace="urn:example:types" schemaLocation="types.xsd"/>
      <xs:element name="CreateOrder">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="number" type="xs:string"/>
            <xs:element name="line" type="t:Line" maxOccurs="unbounded"/>
          </xs:sequence>
          <xs:attribute name="note" type="xs:string"/>
        </xs:complexType>
      </xs:element>
      <xs:element name="CreateOrderResponse">
        <xs:complexType><xs:sequence><xs:element name="ticket" type="xs:string"/></xs:sequence></xs:complexType>
      </xs:element>
      <xs:element name="Notify">
        <xs:complexType><xs:sequence><xs:element name="text" type="xs:string"/></xs:sequence></xs:complexType>
      </xs:element>
    </xs:schema>
  </types>
  <message name="CreateOrderRequest"><part name="body" element="tns:CreateOrder"/></message>
  <message name="CreateOrderAnswer"><part name="body" element="tns:CreateOrderResponse"/></message>
  <message name="NotifyRequest"><part name="body" element="tns:Notify"/></message>
  <portType name="Orders">
    <operation name="CreateOrder">
      <input message="tns:CreateOrderRequest"/><output message="tns:CreateOrderAnswer"/>
    </operation>
    <operation name="Notify"><input message="tns:NotifyRequest"/></operation>
  </portType>
{binding("11", SOAP_11)}{binding("12", SOAP_12)}
  <service name="OrderService">
{port("11", SOAP_11)}{port("12", SOAP_12)}  </service>
</definitions>
"""  # noqa: E501

ACCEPTANCE = '<CreateOrderResponse xmlns="urn:example:orders"><ticket>{id}</ticket></CreateOrderResponse>'


def write_contract(site: Path) -> None:
    for name, text in (
        ("routes/schemas/orders.wsdl", WSDL),
        ("routes/schemas/types.xsd", TYPES),
        ("routes/templates/accepted.xml", ACCEPTANCE),
    ):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
