"""Modules of these packages never import each other in a circle, also not for types alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.code import trees
from tests.architecture.floors import Import, imports, imports_of

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

WITHOUT_CIRCLES = ("transformers", "adapters", "hub.journal", "hub.configuration", "hub.mapping", "hub.cli", "hub.demo")


def module_of(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def circle(found: Iterable[Import], names: set[str]) -> list[str]:
    """Modules that import each other; empty: none do."""
    known: Mapping[str, set[str]] = {name: set() for name in names}
    for one in found:
        here, there = module_of(one.file), one.module
        while there and there not in known:
            there = there.rpartition(".")[0]
        if here in known and there and there != here:
            known[here].add(there)
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", WITHOUT_CIRCLES)
def test_a_package_has_no_circle_of_imports(package: str) -> None:
    names = {name for file in trees() if f"{(name := module_of(file))}.".startswith(f"{package}.")}
    assert len(names) > 3
    assert circle(imports(), names) == []


def test_a_circle_for_types_would_be_found() -> None:
    found = [
        *imports_of("transformers/a.py", "from transformers.b import B"),
        *imports_of("transformers/b.py", "if TYPE_CHECKING:\n    from transformers.a import A"),
    ]
    assert set(circle(found, {"transformers.a", "transformers.b"})) == {"transformers.a", "transformers.b"}
