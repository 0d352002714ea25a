"""Declarations of plug-ins: what is none, or could not be used, is refused with its place and what was expected."""

from __future__ import annotations

from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.app.plugin_discovery import offered
from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.plugin import DestinationPlugin, Options, Plugin, ReaderPlugin, StepPlugin, WriterPlugin
from hub.core.plugins import Plugins, declared


class FolderOptions(Options):
    """Where it writes."""

    folder: str


def make(kind: type[Plugin[Any]] = WriterPlugin, **fields: Any) -> Any:
    about = {"name": "mine", "options": FolderOptions, "summary": "Writes.", "example": "", "build": lambda n, o, c: n}
    return kind(**{**about, **fields})


MINE = make()


def test_a_declaration_knows_its_kind_and_its_place() -> None:
    (found,) = declared(SimpleNamespace(PLUGIN=MINE), "acme_lines")
    assert (found.kind, found.name, found.found_in) == ("writer", "mine", "acme_lines")
    assert [one.kind for one in declared(SimpleNamespace(PLUGINS=(MINE, make(ReaderPlugin))), "acme")] == [
        "writer",
        "reader",
    ]
    assert declared(SimpleNamespace(), "adapters.inbox") == ()


def test_plug_ins_are_found_by_the_class_of_their_declaration() -> None:
    plugins = Plugins.of((MINE, make(ReaderPlugin), make(ReaderPlugin, name="also")))
    assert plugins.find(WriterPlugin, "mine") is MINE
    assert plugins.find(StepPlugin, "mine") is None
    assert [plugin.name for plugin in plugins.every(ReaderPlugin)] == ["also", "mine"]


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ({"PLUGIN": {"name": "mine"}}, "acme: PLUGIN is dict; expected one of SourcePlugin, DestinationPlugin, "),
        ({"PLUGINS": (MINE, None)}, r"acme: PLUGINS\[1\] is NoneType; expected one of SourcePlugin"),
        ({"PLUGINS": MINE}, "acme: PLUGINS should be a tuple of declarations, not WriterPlugin"),
    ],
)
def test_what_is_no_declaration_is_refused(module: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        declared(SimpleNamespace(**module), "acme")


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        (Plugin, {}, "'mine' declares Plugin; expected one of SourcePlugin"),
        (
            WriterPlugin,
            {"options": dict},
            "the writer 'mine': `options` should be a subclass of hub.core.plugin.Options",
        ),
        (WriterPlugin, {"build": None}, "the writer 'mine': `build` should be a function of name, options and context"),
        (WriterPlugin, {"shorthand": "foler"}, "the writer 'mine' names 'foler', which FolderOptions doesn't have"),
        (WriterPlugin, {"files": {"map": "routes"}}, "names 'map'"),
        (ReaderPlugin, {"partners": ("partner",)}, "the reader 'mine' names 'partner'"),
        (DestinationPlugin, {"fact_templates": ("name",)}, "the destination 'mine' names 'name'"),
        (StepPlugin, {"conditions": ("keep",)}, "the step 'mine' names 'keep'"),
        (StepPlugin, {"endpoint": ("endpoint", "rest")}, "the step 'mine' names 'endpoint'"),
    ],
)
def test_a_declaration_that_nobody_could_use_is_refused(
    kind: type[Plugin[Any]], fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        make(kind, **fields)


def test_a_field_of_another_kind_is_no_field_of_this_one() -> None:
    with pytest.raises(TypeError, match="endpoint"):
        make(WriterPlugin, endpoint=("endpoint", "rest"))


def test_two_of_one_kind_and_name_are_refused_with_both_places() -> None:
    with pytest.raises(ConfigError, match="two plug-ins are called writer 'mine', in acme_a and acme_b"):
        Plugins.of((*declared(MINE, "acme_a"), *declared(MINE, "acme_b")))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("json", "the plug-in 'json' of None: json declares nothing; expected PLUGIN, or PLUGINS, of SourcePlugin"),
        ("acme_nowhere", "the plug-in 'acme_nowhere' of None can't be loaded: No module named"),
        (
            "tests.unit.core.test_plugin:CAREFUL",
            "of None: tests.unit.core.test_plugin:CAREFUL: PLUGIN is int; expected one of",
        ),
    ],
)
def test_an_entry_point_that_leads_to_no_declaration_is_refused(value: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        offered(EntryPoint("acme", value, "hub.plugins"))


CAREFUL = SimpleNamespace(PLUGIN=850)


def test_what_a_context_does_not_have_says_so_when_it_is_used() -> None:
    context = Context(Path())
    for use in (lambda: context.log.info, lambda: context.memory("mine").get, lambda: context.outcomes.ending):
        with pytest.raises(RuntimeError, match="was given here: hand one to the Context"):
            use()


def test_a_context_is_typed() -> None:
    assert [field.name for field in fields(Context) if "Any" in str(field.type)] == []


def test_an_endpoint_of_another_kind_is_refused() -> None:
    context = Context(Path(), endpoint=lambda name: 850)
    assert context.endpoint_of(int, "erp") == 850
    with pytest.raises(ConfigError, match="endpoint erp is int, str is needed here"):
        context.endpoint_of(str, "erp")


def test_an_endpoint_that_is_only_in_the_hub_is_missed_when_it_is_used() -> None:
    """A step of a worker process, or one that is built on trial, is built without it."""
    endpoint = Context(Path()).endpoint_of(Path, "erp")
    with pytest.raises(RuntimeError, match="no endpoint erp was given here"):
        endpoint.exists()
