"""For internal systems: publish canonical documents to the hub's broker from ordinary, synchronous Python.

    from hub.client import HubClient
    from hub.documents import Order

    with HubClient(os.environ["HUB_AMQP_URL"]) as hub:
        hub.publish(Order(number="104582", ...), exchange="shop.events", key="order.placed")

`publish` returns when the broker has taken responsibility. Django, Flask, Celery and scripts use it alike; where a
database transaction and its event must be one, see `hub.client.outbox`.
"""

from __future__ import annotations

from hub.client.client import HubClient, NotPublished, NotRouted

__all__ = ["HubClient", "NotPublished", "NotRouted"]
