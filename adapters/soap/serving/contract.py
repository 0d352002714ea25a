"""A WSDL 1.1 file, as the contract of a source: its operations, its schemas, and itself with our address in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.soap.serving.fault import SoapFault
from adapters.soap.serving.names import BINDINGS, SCHEMA, WSDL
from adapters.soap.serving.safe_xml import UnsafeXml, parsed
from adapters.soap.serving.schemas import Schemas, inline_schemas
from hub.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ServedOperation:
    """`payload` and `answer` are the elements in the bodies of question and answer, `{namespace}name`; answer None:
    one-way. `actions` are what its bindings call it."""

    name: str
    payload: str
    answer: str | None
    actions: frozenset[str]


class ServedContract:
    """Document/literal alone, each message with one part: what WS-I allows, and toolkits make."""

    def __init__(self, name: str, folder: Path, only: tuple[str, ...] = ()) -> None:
        self.name = name
        try:
            self._root = parsed((folder / name).read_bytes())
        except (OSError, UnsafeXml) as error:
            raise ConfigError(f"{name} can't be read: {error}") from None
        if self._root.tag != f"{{{WSDL}}}definitions":
            raise ConfigError(f"{name} is no WSDL 1.1: its root is {self._root.tag}")
        if self._root.find(f"{{{WSDL}}}import") is not None:
            raise ConfigError(f"{name} imports another WSDL; join them in one file")
        self.schemas = Schemas(name, list(inline_schemas(self._root)), folder)
        found = {one.name: one for one in self._operations()}
        for wanted in only:
            if wanted not in found:
                raise ConfigError(f"{name} has no operation {wanted}; it has {', '.join(sorted(found))}")
        self.operations = {one.payload: one for one in found.values() if not only or one.name in only}
        if len(self.operations) < (len(only) or len(found)):
            raise ConfigError(f"{name}: two operations have the same element in their bodies")

    def operation(self, payload: Any, action: str) -> ServedOperation:
        """Which one is asked for. Raises SoapFault."""
        found = self.operations.get(payload.tag)
        if found is None:
            taken = ", ".join(sorted(self.operations))
            raise SoapFault("sender", f"there is no operation with {payload.tag[:200]}; taken are: {taken}")
        if action and action not in found.actions:
            raise SoapFault("sender", f"the action {action[:200]!r} is not that of {found.name}")
        return found

    def check(self, payload: Any) -> None:
        """Raises SoapFault for what the schemas don't allow."""
        wrong = self.schemas.findings(payload)
        if wrong:
            raise SoapFault("sender", f"the body is not what {self.name} says: {wrong}")

    def described(self, address: str) -> bytes:
        """The WSDL, with the address that it was asked at; files beside it are found there too."""
        root = copy.deepcopy(self._root)
        for namespace in BINDINGS:
            for element in root.iter(f"{{{namespace}}}address"):
                element.set("location", address)
        for element in root.iter(f"{{{SCHEMA}}}import", f"{{{SCHEMA}}}include"):
            if element.get("schemaLocation") in self.schemas.files:
                element.set("schemaLocation", f"{address}?xsd={element.get('schemaLocation')}")
        made: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
        return made

    def _operations(self) -> Iterator[ServedOperation]:
        """Of the port types that have a binding to SOAP."""
        actions: dict[tuple[str, str], set[str]] = {}
        for binding in self._root.findall(f"{{{WSDL}}}binding"):
            if any(etree.QName(child).namespace in BINDINGS for child in binding):
                for operation, action in self._bound(binding):
                    actions.setdefault((local(binding.get("type", "")), operation), set()).add(action)
        if not actions:
            raise ConfigError(f"{self.name} has no binding to SOAP")
        for (port, operation), known in actions.items():
            node = self._child("portType", port).find(f"{{{WSDL}}}operation[@name='{operation}']")
            if node is None:
                raise ConfigError(f"{self.name}: the port type {port} has no operation {operation}")
            answer = node.find(f"{{{WSDL}}}output")
            yield ServedOperation(
                operation,
                self._element(node.find(f"{{{WSDL}}}input"), operation),
                self._element(answer, operation) if answer is not None else None,
                frozenset(known),
            )

    def _bound(self, binding: Any) -> Iterator[tuple[str, str]]:
        for operation in binding.findall(f"{{{WSDL}}}operation"):
            action = ""
            for element in (*binding, *operation, *operation.iter()):
                name = etree.QName(element)
                if name.namespace not in BINDINGS:
                    continue
                if element.get("style", "document") != "document" or element.get("use", "literal") != "literal":
                    raise ConfigError(f"{self.name}: {operation.get('name')} is not document/literal")
                action = element.get("soapAction", action) if name.localname == "operation" else action
            yield operation.get("name", ""), action

    def _element(self, node: Any, operation: str) -> str:
        """The element that the one part of a message is."""
        parts = (
            self._child("message", local(node.get("message", ""))).findall(f"{{{WSDL}}}part")
            if node is not None
            else []
        )
        if len(parts) != 1 or not parts[0].get("element"):
            raise ConfigError(f"{self.name}: a message of {operation} has not exactly one part that is an element")
        prefix, _, name = parts[0].get("element").rpartition(":")
        namespace = parts[0].nsmap.get(prefix or None)
        return f"{{{namespace}}}{name}" if namespace else name

    def _child(self, kind: str, name: str) -> Any:
        found = next((one for one in self._root.findall(f"{{{WSDL}}}{kind}") if one.get("name") == name), None)
        if found is None:
            raise ConfigError(f"{self.name} has no {kind} {name!r}")
        return found


def local(name: str) -> str:
    return name.rpartition(":")[2]
