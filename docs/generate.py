"""Writes docs/reference from the declarations: `make docs`. A test fails when the pages are out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import plugin_page
import typer
from option_table import shape
from wrapping import wrap

from hub.app.plugin_discovery import discover
from hub.cli.program import build
from hub.core.effect import Act, EffectStatus
from hub.core.routing.facts import BUILT_IN
from hub.documents import DOCUMENTS, json_schema
from transformers.x12.declarations.catalogue import known_sets, set_declaration
from transformers.x12.declarations.description import ElementRow, SegmentRow, SetDescription, describe
from transformers.x12.declarations.set_page import code_section, segment_section, set_page

RELEASES = ("004010", "005010")
ROOT = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Every page by its name."""
    made = {
        "index.md": index(),
        **plugin_page.pages(discover()),
        "commands.md": "\n".join(command_page()),
        "facts.md": "\n".join(fact_page()),
        "effects.md": "\n".join(effect_page()),
        "documents.md": "\n".join(document_page()),
        **set_pages(),
    }
    return {name: wrap(text) for name, text in made.items()}


def index() -> str:
    return """# Reference

Generated from the declarations by `make docs`.

- [Adapters and transformers](plugins/index.md): a page each, with every option and an example
- [Commands](commands.md)
- [Facts](facts.md)
- [Effects](effects.md): the statuses of a document at a destination, and what changes them
- [Documents](documents.md): the canonical models
- [X12 transaction sets](sets/index.md): loops, segments, elements, codes, and where they live in the documents
- JSON Schemas of the site's files: `config/schemas`, or `hub schema`
"""


def command_page() -> Iterator[str]:
    yield "# Commands\n"
    yield (
        "Exit codes: 0 done; 1 an error was found, or the command was refused; 2 wrong usage; 3 recorded, but not"
        " carried out yet; 4 the journal can't be reached.\n"
    )
    program = typer.main.get_command(build(lambda hub, listen: None))  # type: ignore[arg-type, return-value]
    yield from commands(program, "hub", None)


def commands(command: Any, name: str, parent: click.Context | None) -> Iterator[str]:
    """A command, or all of a group; options that a group gives to its commands (-h) are theirs."""
    width: dict[str, Any] = {"terminal_width": 110, "max_content_width": 110}
    context = click.Context(command, info_name=name, parent=parent, **width, **command.context_settings)
    if hasattr(command, "list_commands"):
        for each in command.list_commands(context):
            yield from commands(command.get_command(context, each), each, context)
        return
    yield f"## {context.command_path}\n"
    yield f"```\n{command.get_help(context).strip()}\n```\n"


def fact_page() -> Iterator[str]:
    yield "# Facts\n"
    yield "What conditions, names and once-keys may use. A site adds its own in `config/facts.yaml`.\n"
    yield "| fact | type | optional | |"
    yield "| --- | --- | --- | --- |"
    for fact in BUILT_IN.values():
        yield f"| `{fact.name}` | {fact.type} | {'yes' if fact.optional else ''} | {fact.about} |"
    yield ""


def effect_page() -> Iterator[str]:
    yield "# Effects\n"
    yield "The journal records one effect for each document and destination. It has one of these statuses:\n"
    yield "| status | meaning |"
    yield "| --- | --- |"
    for status in EffectStatus:
        yield f"| `{status}` | {status.meaning} |"
    yield (
        "\nAn effect begins as `prepared`. Whatever happens to it then is one of these acts. In any other status an act"
        " changes nothing.\n"
    )
    yield "| act | from | to |"
    yield "| --- | --- | --- |"
    for act in Act:
        before, after = (
            ", ".join(f"`{one}`" for one in EffectStatus if one in side) for side in (act.before, act.after)
        )
        yield f"| {act.meaning} | {before} | {after} |"
    yield ""


def document_page() -> Iterator[str]:
    yield "# Documents\n"
    yield (
        "The canonical documents. In JSON the first key is `document`; decimals are strings, dates ISO; fields at their"
        " default are left out."
    )
    yield "`hub schema order@1` prints the JSON Schema.\n"
    for kind, cls in DOCUMENTS.items():
        schema = json_schema(kind)
        yield f"## {kind}@{cls.version}\n"
        yield f"{' '.join((cls.__doc__ or '').split())}\n"
        yield "| field | type | |"
        yield "| --- | --- | --- |"
        for name, field in schema["properties"].items():
            yield f"| `{name}` | {shape(field, schema)} | {field.get('description', '')} |"
        yield ""


def set_pages() -> dict[str, str]:
    """The X12 sets: a page each, and what they share (segments, codes)."""
    described = {name: [describe(set_declaration(name, release)) for release in RELEASES] for name in known_sets()}
    found = {f"sets/{name}.md": "\n".join(set_page(*both)) for name, both in described.items()}
    return {
        "sets/index.md": "\n".join(set_index([old for old, _ in described.values()])),
        **found,
        "sets/segments.md": "\n".join(segment_page(list(described.values()))),
        "sets/codes.md": "\n".join(code_page([old for old, _ in described.values()])),
    }


def set_index(described: list[SetDescription]) -> Iterator[str]:
    yield "# X12 transaction sets\n"
    yield (
        "Generated from their declarations. Usage is M (mandatory) or O (optional); a release beside a row means that"
        " it is so in that release only. What no field holds is kept in the document's `extras`. `hub x12 docs SET"
        " --release R --partner P` prints a set in any release, with a partner's overlay. [Segments](segments.md) and"
        " [codes](codes.md) have pages of their own; how a set is added says [the"
        " guide](../../guides/adding-a-set.md).\n"
    )
    yield "| set | | group | document |"
    yield "| --- | --- | --- | --- |"
    for each in described:
        yield f"| [{each.set}]({each.set}.md) | {each.name} | {each.group} | [`{each.document}`](../documents.md) |"
    yield ""


def segment_page(described: list[list[SetDescription]]) -> Iterator[str]:
    old, new = RELEASES
    yield "# Segments\n"
    yield f"The segments of all sets, as in {old}; what is otherwise in {new} stands beside it.\n"
    found: list[dict[str, SegmentRow]] = [{}, {}]
    for both in described:
        for segments, each in zip(found, both, strict=True):
            for row in each.rows:
                if isinstance(row, SegmentRow):
                    segments.setdefault(row.id, row)
    for name in sorted(found[0] | found[1]):
        before, after = found[0].get(name), found[1].get(name)
        yield from segment_section(before or found[1][name], after, new)


def code_page(described: list[SetDescription]) -> Iterator[str]:
    yield "# Codes\n"
    yield "The lists by which codes are judged, by the number of their element.\n"
    found: dict[str, ElementRow] = {}
    for each in described:
        for row in each.rows:
            for element in row.elements if isinstance(row, SegmentRow) else ():
                found |= {one.number: one for one in (element, *element.components) if one.codes}
    for number in sorted(found, key=int):
        yield from code_section(found[number])


def main() -> int:
    for folder in ("sets", "plugins"):
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in ROOT.rglob("*.md"):
        if path.relative_to(ROOT).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        (ROOT / name).write_text(text.rstrip() + "\n")
        print(f"wrote {(ROOT / name).relative_to(Path.cwd())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
