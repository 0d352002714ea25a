"""A whole hub that is posted to while its broker is away; and one that is called over SOAP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.integration.test_http_source import arrived, listening
from tests.integration.test_soap_source import ORDER, envelope, fault_of, post
from tests.support.brokers import eventually
from tests.support.erp import Erp
from tests.support.ports import free_ports
from tests.support.proxy import TcpProxy
from tests.support.site import SiteOnDisk, order
from tests.support.soap_orders import write_contract
from tests.support.web import WebSite


@pytest.mark.rabbitmq
async def test_while_the_broker_is_away_nothing_is_taken_and_afterwards_all_of_it_once(
    tmp_path: Path, erp: Erp, amqp_vhost: str, tcp_proxy: TcpProxy
) -> None:
    web = WebSite(SiteOnDisk(tmp_path, erp.url, amqp=tcp_proxy.through(amqp_vhost)))
    web.source("patience: 500ms")
    async with web.site.running():
        await listening(web)
        tcp_proxy.refuse()
        tcp_proxy.cut()
        refused = await web.post(order("1"), Idempotency_Key="k")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        tcp_proxy.allow()

        async def taken() -> bool:
            return (await web.post(order("1"), Idempotency_Key="k")).status == 202

        await eventually(taken)
        await arrived(erp, 1)
        assert len({request.key for request in erp.requests}) == 1


@pytest.mark.rabbitmq
async def test_while_a_broker_of_several_hosts_is_known_to_be_away_the_door_says_so_at_once(
    tmp_path: Path, erp: Erp, amqp_vhost: str, tcp_proxy: TcpProxy
) -> None:
    """The first host of the list is never there. Each post is answered long before the patience of the source is over,
    a minute."""
    through = tcp_proxy.through(amqp_vhost)
    (nobody,) = free_ports(1)
    user, _, host = through.rpartition("@")
    web = WebSite(SiteOnDisk(tmp_path, erp.url, amqp=f"{user}@127.0.0.1:{nobody},{host}"))
    async with web.site.running() as hub:
        await listening(web)
        assert (await web.post(order("1"))).status == 202
        await arrived(erp, 1)
        tcp_proxy.refuse()
        tcp_proxy.cut()

        async def away() -> bool:
            return not hub.broker.connected

        await eventually(away)
        async with asyncio.timeout(15):
            replies = await asyncio.gather(*(web.post(order(str(number))) for number in range(2, 12)))
        assert {(reply.status, reply.headers["Retry-After"]) for reply in replies} == {(503, "5")}
        tcp_proxy.allow()


async def test_a_call_that_cant_be_read_is_kept_under_its_id(tmp_path: Path, erp: Erp) -> None:
    web = WebSite(SiteOnDisk(tmp_path, erp.url))
    write_contract(tmp_path)
    soap = "{endpoint: web, path: /soap, wsdl: orders.wsdl, operations: [Notify], security: none}"
    web.source(more=f"  called:\n    soap: {soap}\n    read: {{json: order@1}}\n")
    async with web.site.running():
        await listening(web)

        async def mounted() -> bool:
            async with aiohttp.ClientSession() as session, session.get(f"{web.url}/soap?wsdl") as reply:
                return reply.status == 200

        await eventually(mounted)
        status, body = await post(f"{web.url}/soap", envelope(ORDER))
        assert (status, fault_of(body)[0]) == (500, "soap:Client")
        status, body = await post(
            f"{web.url}/soap", envelope('<Notify xmlns="urn:example:orders"><text>x</text></Notify>')
        )
        assert status == 500
        id = body.decode().partition("<id>")[2].partition("</id>")[0]

        async def kept() -> bool:
            found = await asyncio.to_thread(web.site.cli, "dead", "list", "--json")
            return bool(id) and id in found.stdout

        await eventually(kept)
        async with aiohttp.ClientSession() as session, session.get(f"{web.url}/soap?wsdl") as reply:
            assert f'location="{web.url}/soap"' in await reply.text()
