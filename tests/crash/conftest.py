"""Hubs that begin at once, and an ERP that counts what it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import hub_forks
from tests.support.erp import Erp
from tests.support.hub_forks import HubForks


@pytest.fixture(scope="session")
def forks() -> HubForks:
    return hub_forks.forks()


@pytest.fixture
def erp() -> Iterator[Erp]:
    with Erp().serving() as server:
        yield server
