"""SOAP in: the contract, as it is served, and those that can't be kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from adapters.soap.serving.options import SoapSourceOptions
from adapters.soap.serving.source import SoapSource
from hub.core.errors import ConfigError
from hub.journal.journal import Journal
from tests.support.soap_calls import serving
from tests.support.soap_orders import TYPES, WSDL, write_contract
from tests.support.web import Takes, context_of, listening_endpoint


async def test_an_operation_whose_answer_doesnt_fit_the_reply_is_refused(tmp_path: Path, journal: Journal) -> None:
    for options in ({"operations": ["CreateOrder"]}, {"operations": ["Notify"], "reply": "sync"}, {}):
        with pytest.raises(ConfigError, match="doesn't fit"):
            async with serving(tmp_path, journal, Takes(), **{"within": "1s", **options}):
                pass


async def test_the_contract_is_served_with_our_address_and_what_it_imports(tmp_path: Path, journal: Journal) -> None:
    async with serving(tmp_path, journal, Takes()) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}?WSDL") as reply:
            text = await reply.text()
            assert text.count(f'location="{url}"') == 2
            assert f"{url}?xsd=types.xsd" in text
        async with session.get(f"{url}?xsd=types.xsd") as reply:
            assert await reply.text() == TYPES
        for query in ("", "?xsd=../orders.wsdl", "?xsd=orders.wsdl", "?xsd="):
            async with session.get(url + query) as reply:
                assert reply.status == 404


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('schemaLocation="types.xsd"', 'schemaLocation="http://evil.example/types.xsd"', "put it beside the WSDL"),
        ('schemaLocation="types.xsd"', 'schemaLocation="../../../etc/passwd"', "put it beside the WSDL"),
        ('schemaLocation="types.xsd"', 'schemaLocation="none.xsd"', "can't be read"),
        ('use="literal"', 'use="encoded"', "is not document/literal"),
        ('style="document"', 'style="rpc"', "is not document/literal"),
        ('type="t:Line"', 'type="t:None"', "its schemas can't be used"),
        ("http://schemas.xmlsoap.org/wsdl/soap", "urn:x", "has no binding to SOAP"),
        ("<?xml version", "<!DOCTYPE x><?xml version", "can't be read"),
        ("<types>", '<import namespace="urn:y" location="y.wsdl"/><types>', "imports another WSDL"),
    ],
)
async def test_contracts_that_cant_be_kept(tmp_path: Path, journal: Journal, old: str, new: str, said: str) -> None:
    write_contract(tmp_path)
    (tmp_path / "routes/schemas/orders.wsdl").write_text(WSDL.replace(old, new))
    told = {"endpoint": "web", "path": "/s", "wsdl": "orders.wsdl", "security": "none", "operations": ["Notify"]}
    options = SoapSourceOptions.model_validate_json(json.dumps(told))
    async with listening_endpoint(tmp_path, journal) as listener:
        with pytest.raises(ConfigError, match=said):
            SoapSource("called", options, listener, context_of(tmp_path, journal, listener))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reply": "accepted"}, "needs an `acceptance`"),
        ({"acceptance": "accepted.xml"}, "of no use"),
        ({"path": "soap"}, "no path of its own"),
        ({"security": {"users": {"ACME": {"password": "short"}}}}, "at least 8"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], said: str) -> None:
    told = {"endpoint": "web", "path": "/s", "wsdl": "orders.wsdl", "security": "none", **options}
    with pytest.raises(ValidationError, match=said):
        SoapSourceOptions.model_validate_json(json.dumps(told))
