"""Where a site has its journal and its broker."""

from __future__ import annotations

from pathlib import Path

from hub.app.keeping.left_behind import BROKER_FILE
from hub.app.site_folder import SiteFolder
from hub.broker.embedded.embedded_broker import EmbeddedBroker
from hub.broker.rabbit.rabbit_broker import RabbitBroker
from hub.configuration.site import Settings
from hub.core.broker import BrokerLifecycle
from hub.core.clock import Clock
from hub.core.errors import ConfigError

COMMAND_PATIENCE = 8.0
"""Seconds that a command, for which a person waits, tries to reach the broker."""


def journal_url(folder: SiteFolder, settings: Settings) -> str:
    """The journal's URL: a path stands in the site."""
    return settings.journal if "://" in settings.journal else str(folder.resolve(settings.journal))


def make_broker(folder: SiteFolder, settings: Settings, clock: Clock, patience: float = 30.0) -> BrokerLifecycle:
    """`patience`: seconds in which a RabbitMQ must be reached."""
    if settings.broker == "amqp":
        if not settings.amqp:
            raise ConfigError("config/hub.yaml: broker amqp needs a URL")
        return RabbitBroker(settings.amqp, clock, name="hub", timeout=patience)
    return EmbeddedBroker(embedded_path(folder), clock)


def embedded_path(folder: SiteFolder) -> Path:
    return folder.resolve(BROKER_FILE)
