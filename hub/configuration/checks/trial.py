"""Readers, writers and steps, each built once on trial: a template, schema or table that can't be used is found before
a hub runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.configuration.checks.checked_use import texts
from hub.configuration.draft import Draft, Text
from hub.configuration.entries.plug import PlacedUse
from hub.core.context import Context
from hub.core.errors import ConfigError, FilePlace
from hub.core.partners import PartnerDirectory
from hub.core.plugin import TransformerPlugin
from hub.core.routing.expression_tree import ExpressionError

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, OSError)
"""What a builder may raise beside ConfigError, when a file is not what it takes it for, or when it asks for what only a
running hub has (`hub.core.context.NotGiven`)."""


def check_transformers(draft: Draft) -> None:
    """Each error where the use stands. What is used with the same options is built once."""
    if draft.text is None or draft.folder is None:
        return
    context = _context(draft, draft.folder, draft.text)
    outcomes: dict[tuple[str, str, str], ConfigError | None] = {}
    for placed in draft.transformers:
        plugin = placed.use.plugin
        if plugin.partners and draft.findings.errors:
            continue  # the agreements may be among what is wrong
        key = (plugin.kind, plugin.name, repr(placed.use.options))
        if key not in outcomes:
            outcomes[key] = _outcome(placed, context)
        error = outcomes[key]
        if error is not None:
            draft.findings.raised(error, _place(placed, error.text))


def _context(draft: Draft, folder: Path, text: Text) -> Context:
    partners = PartnerDirectory(one.agreement for one in draft.agreements.values())
    return Context(site=folder, partners=partners, text=text, facts=draft.facts.facts)


def _outcome(placed: PlacedUse[TransformerPlugin[Any]], context: Context) -> ConfigError | None:
    use = placed.use
    try:
        use.plugin.build(use.plugin.name, use.options, context)
    except ExpressionError:
        return None  # conditions are checked, and told, where they stand
    except ConfigError as error:
        return error
    except BROKEN as error:
        if use.endpoint is not None:
            return None  # it may be the endpoint that is missing here
        return ConfigError(f"{use.plugin.name} can't be used: {type(error).__name__}: {error}")
    return None


def _place(placed: PlacedUse[TransformerPlugin[Any]], text: str) -> FilePlace:
    """The option that names the file that is told of, else the first one that names any."""
    named = [(field, name) for field in placed.use.plugin.files for name in texts(placed.use.value(field))]
    fields = [field for field, name in named if name in text] or [field for field, _ in named]
    return placed.place(fields[0] if fields else "")
