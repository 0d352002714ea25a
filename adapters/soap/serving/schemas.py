"""The schemas of a WSDL, compiled as one. Nothing is fetched: what they import stands in the WSDL, or beside it in the
site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree

from adapters.soap.serving.names import SCHEMA
from adapters.soap.serving.safe_xml import UnsafeXml, parsed
from hub.core.errors import ConfigError
from hub.core.replies.xml_parsing import SAFE

FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
REFERRING = tuple(f"{{{SCHEMA}}}{name}" for name in ("import", "include", "redefine"))


class Schemas:
    """`files` are those beside the WSDL that are needed, by name: clients need them too."""

    def __init__(self, wsdl: str, inline: list[Any], folder: Path) -> None:
        self._wsdl = wsdl
        self._folder = folder
        self.files: dict[str, bytes] = {}
        self._written: dict[str, bytes] = {}
        self._homes: dict[str, list[str]] = {}
        for position, schema in enumerate(inline):
            self._homes.setdefault(schema.get("targetNamespace", ""), []).append(f"-inline-{position}.xsd")
        for position, schema in enumerate(inline):
            own = etree.fromstring(etree.tostring(schema))
            self._bind(own)
            self._written[f"-inline-{position}.xsd"] = etree.tostring(own)
        self._schema = self._compiled()

    def findings(self, element: Any) -> str:
        """What is wrong with the element; empty: nothing."""
        if self._schema.validate(element):
            return ""
        return "; ".join(f"line {error.line}: {error.message}" for error in list(self._schema.error_log)[:10])

    def _bind(self, schema: Any) -> None:
        """Imports of inline schemas lead to their files, others to those beside the WSDL, which are read with
        theirs."""
        for reference in schema.iter(*REFERRING):
            name = reference.get("schemaLocation")
            if name is None:
                homes = self._homes.get(reference.get("namespace", ""))
                if homes:
                    reference.set("schemaLocation", self._joined(reference.get("namespace", "")))
            else:
                self._add(name)

    def _add(self, name: str) -> None:
        if name in self._written:
            return
        if not FILE.fullmatch(name):
            text = f"{self._wsdl}: the schema {name!r} can't be used; put it beside the WSDL, and name it alone"
            raise ConfigError(text)
        try:
            raw = (self._folder / name).read_bytes()
            root = parsed(raw)
        except (OSError, UnsafeXml) as error:
            raise ConfigError(f"{self._wsdl}: the schema {name} can't be read: {error}") from None
        self._written[name] = self.files[name] = raw
        self._bind(root)

    def _joined(self, namespace: str) -> str:
        """One file for all inline schemas of a namespace: an import leads to one place."""
        homes = self._homes[namespace]
        if len(homes) == 1:
            return homes[0]
        name = f"-joined-{list(self._homes).index(namespace)}.xsd"
        included = "".join(f'<xs:include schemaLocation="{home}"/>' for home in homes)
        self._written[name] = (
            f'<xs:schema xmlns:xs="{SCHEMA}" targetNamespace="{namespace}">{included}</xs:schema>'.encode()
        )
        return name

    def _compiled(self) -> Any:
        imports = "".join(
            f'<xs:import namespace="{namespace}" schemaLocation="{self._joined(namespace)}"/>'
            for namespace in self._homes
        )
        whole = f'<xs:schema xmlns:xs="{SCHEMA}">{imports}</xs:schema>'.encode()
        with TemporaryDirectory(prefix="hub-wsdl-") as folder:
            for name, raw in (*self._written.items(), ("-whole.xsd", whole)):
                (Path(folder) / name).write_bytes(raw)
            parser = etree.XMLParser(**SAFE)
            try:
                return etree.XMLSchema(etree.parse(str(Path(folder) / "-whole.xsd"), parser))
            except etree.XMLSchemaParseError as error:
                raise ConfigError(f"{self._wsdl}: its schemas can't be used: {error}") from None


def inline_schemas(wsdl: Any) -> Iterator[Any]:
    yield from wsdl.iter(f"{{{SCHEMA}}}schema")
