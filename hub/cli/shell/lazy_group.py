"""A group of commands that are loaded when they are called: `hub --help` reads a table, and a command imports what it
uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from hub.core.options.nearest import hint


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command or a group of them. `source` is `module:name` of a function, or of a Typer for a group; `summary` its
    first sentence, as the list of commands has it. `given`: what the function that stands there is called with to make
    it."""

    name: str
    source: str
    summary: str
    given: tuple[Any, ...] = ()

    def load(self) -> Any:
        module, _, name = self.source.partition(":")
        found = getattr(import_module(module), name)
        return found(*self.given) if self.given else found


class LazyGroup(TyperGroup):
    """Knows its commands by their entries."""

    entries: ClassVar[Sequence[CommandEntry]] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        return [entry.name for entry in self.entries]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = next((entry for entry in self.entries if entry.name == cmd_name), None)
        if found is not None and cmd_name not in self.commands:
            self.add_command(_make_command(found))
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r} ({hint(args[0], names)})")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in self.entries])


def lazy(entries: Sequence[CommandEntry], help: str, **settings: Any) -> typer.Typer:
    """A group of these commands."""
    made = typer.Typer(
        cls=type("Commands", (LazyGroup,), {"entries": tuple(entries)}),
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **settings,
    )
    made.callback()(_nothing)
    return made


def _nothing() -> None:
    """Makes a group of what has no commands of its own."""


def _make_command(entry: CommandEntry) -> Any:
    """The command, or the group, as the parser has it."""
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.callback()(_nothing)
    found: typer.Typer | Callable[..., None] = entry.load()
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=entry.name)
    else:
        holder.command(entry.name)(found)
    group = typer.main.get_command(holder)
    assert isinstance(group, TyperGroup)  # noqa: S101 - it has a callback
    return group.commands[entry.name]
