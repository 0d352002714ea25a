"""Statuses have one home each: their words stand in an enum of their own, and only acts change an effect."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import pytest

from hub.core.dead_letter import DeadStatus
from hub.core.effect import EffectStatus
from hub.core.hold import HoldStatus
from hub.core.once_key import OnceStatus
from tests.architecture.code import nodes, trees

pytestmark = pytest.mark.xdist_group("the code")  # one worker reads it

WORDS = {*EffectStatus, *DeadStatus, HoldStatus.RELEASING, OnceStatus.FREED}
QUOTED = re.compile("'(" + "|".join(sorted(WORDS)) + ")'")

OTHER_THINGS = {
    "hub/core/stage.py": {"dead"},  # a key of an event's detail
    "hub/core/errors.py": {"rejected"},  # the code of an error
    "adapters/mail/destination.py": {"rejected"},  # the code of an error
    "hub/cli/program.py": {"dead"},  # a command
    "hub/cli/x12/lines.py": {"rejected"},  # the verdict on a transaction, as in the next four
    "hub/cli/x12/tally.py": {"rejected"},
    "hub/cli/x12/validate.py": {"rejected"},
    "transformers/x12/lineage/inspection.py": {"rejected"},
}
"""Words that are no status where they stand."""

CHANGING = {"hub/journal/deliveries/effects.py", "hub/journal/deliveries/marks.py", "hub/journal/copies/open_copies.py"}
"""Files with a statement that changes effects. The last two leave the status alone."""


def sources() -> Iterator[tuple[str, Sequence[ast.AST]]]:
    """History stays as it was."""
    return ((name, nodes(name)) for name in trees() if "/migrations/" not in name)


def literals(found: Sequence[ast.AST]) -> Iterator[str]:
    """The status words in the code, SQL included; not those in the body of an enum, which is their home."""
    enums = [n for n in found if isinstance(n, ast.ClassDef) and "StrEnum" in map(ast.unparse, n.bases)]
    at_home = {id(inner) for enum in enums for inner in ast.walk(enum)}
    for node in found:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in at_home:
            yield from {node.value} & WORDS
            yield from QUOTED.findall(node.value)


def changes_effects(found: Sequence[ast.AST]) -> bool:
    calls = [node for node in found if isinstance(node, ast.Call) and node.args]
    called = {(ast.unparse(node.func), ast.unparse(node.args[0])) for node in calls}
    names = {"effect", "schema.effect"}
    assigned = {
        target.id
        for node in found
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == "schema.effect"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(func == "sa.update" and first in names | assigned for func, first in called)


def test_no_status_word_stands_outside_its_enum() -> None:
    strays = {name: set(literals(found)) - OTHER_THINGS.get(name, set()) for name, found in sources()}
    assert {name: words for name, words in strays.items() if words} == {}


def test_only_acts_change_the_status_of_an_effect() -> None:
    assert {name for name, found in sources() if changes_effects(found)} == CHANGING


@pytest.mark.parametrize(
    "source",
    [
        "if row.status == 'held': pass",
        "OPEN = ('prepared', 'retrying')",
        "text = \"UPDATE effect SET status = 'dead'\"",
        "text = f\"WHERE status IN ('{x}', 'batched')\"",
        "class Names:\n    HELD = 'held'",
    ],
)
def test_a_status_word_would_be_found(source: str) -> None:
    assert list(literals(list(ast.walk(ast.parse(source)))))


def test_the_body_of_an_enum_is_the_home_of_its_words() -> None:
    assert list(literals(list(ast.walk(ast.parse("class Status(StrEnum):\n    HELD = 'held'"))))) == []


@pytest.mark.parametrize(
    "source", ["sa.update(schema.effect).values(x=1)", "table = schema.effect\nsa.update(table).where(mine)"]
)
def test_a_statement_that_changes_effects_would_be_found(source: str) -> None:
    assert changes_effects(list(ast.walk(ast.parse(source))))
