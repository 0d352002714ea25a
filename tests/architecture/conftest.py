"""One worker of a parallel run reads the code, and forgets it afterwards: a million objects slow each later garbage
collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import code


@pytest.hookimpl(tryfirst=True)  # xdist then reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("architecture"))


@pytest.fixture(scope="package", autouse=True)
def forget() -> Iterator[None]:
    yield
    code.trees.cache_clear()
    code.nodes.cache_clear()
