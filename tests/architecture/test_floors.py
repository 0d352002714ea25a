"""Imports point down: read from the source, so that no import has to run to be judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.floors import FLOORS, imports, imports_of, violations

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

ROOT = Path(__file__).parents[2]


def broken(name: str, source: str) -> list[str]:
    return violations(imports_of(name, source))


def test_no_module_imports_upwards_or_sideways() -> None:
    assert violations(imports()) == []


def test_every_package_has_a_floor() -> None:
    packages = {f"hub.{path.parent.name}" for path in (ROOT / "hub").glob("*/__init__.py")}
    assert packages <= set(FLOORS)


def test_importing_the_hub_package_imports_nothing() -> None:
    assert list(imports_of("hub/__init__.py", (ROOT / "hub/__init__.py").read_text())) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("hub/core/message.py", "from hub.runtime.delivery.worker import Worker"),
        ("hub/core/message.py", "import hub.broker.embedded.embedded_broker"),
        ("hub/core/message.py", "from hub.documents import Order"),
        ("hub/core/message.py", "from ..journal import journal"),
        ("hub/core/message.py", "def late():\n    from hub.app.opening import Opening"),
        ("hub/configuration/site.py", "from transformers.json import PLUGIN"),
        ("transformers/json.py", "from hub.configuration.site import Site"),
        ("transformers/json.py", "import adapters.file"),
        ("transformers/json.py", "from transformers.x12.reading.reader import Reader"),
        ("adapters/file.py", "from transformers.json import PLUGIN"),
        ("adapters/file.py", "from adapters.rest import PLUGINS"),
        ("adapters/inbox/spool.py", "from adapters.file import PLUGINS"),
        ("adapters/file.py", "from hub.broker.embedded.embedded_broker import EmbeddedBroker"),
        ("hub/journal/journal.py", "from hub.broker.embedded.embedded_broker import EmbeddedBroker"),
        ("hub/runtime/intake/intake.py", "from hub.app.opening import Opening"),
        ("hub/app/opening.py", "from hub.cli.main import main"),
        ("hub/runtime/intake/intake.py", "import aio_pika"),
        ("hub/broker/rabbit/consumer.py", "from sqlalchemy import select"),
        ("hub/core/replies/replies.py", "import aiohttp"),
        ("hub/core/message.py", "import time"),
        ("hub/core/message.py", "from asyncio import sleep"),
        ("hub/documents/orders/order.py", "import logging"),
        ("hub/configuration/check.py", "from pathlib import Path"),
        ("transformers/x12/reading/reader.py", "import socket"),
        ("transformers/x12/reading/reader.py", "import urllib.request"),
    ],
)
def test_a_planted_violation_is_caught(name: str, source: str) -> None:
    assert len(broken(name, source)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("hub/core/message.py", "from hub.core.errors import HubError"),
        ("hub/documents/codec.py", "from hub.core.errors import DecodeError"),
        ("hub/core/ports.py", "if TYPE_CHECKING:\n    from hub.documents.base import Document"),
        ("hub/configuration/site.py", "from hub.documents import DOCUMENTS"),
        ("transformers/x12/reading/reader.py", "from transformers.x12.envelope.scan import Interchange"),
        ("adapters/rest.py", "import aiohttp"),
        ("adapters/file/source.py", "from adapters.inbox.spool import Spool"),
        ("hub/broker/rabbit/consumer.py", "import aio_pika"),
        ("hub/app/opening.py", "import adapters\nimport transformers\nfrom hub.runtime.delivery.worker import Worker"),
        ("hub/core/replies/replies.py", "from urllib.parse import urlsplit\nfrom datetime import datetime"),
    ],
)
def test_what_is_allowed_stays_allowed(name: str, source: str) -> None:
    assert broken(name, source) == []


def test_a_finding_names_the_file_the_line_and_both_floors() -> None:
    (found,) = broken("hub/core/message.py", "\nfrom hub.runtime.delivery.worker import Worker")
    assert found.startswith("hub/core/message.py:2: imports hub.runtime.delivery.worker.Worker: hub.core (floor 0)")
    assert "hub.runtime (floor 3)" in found
