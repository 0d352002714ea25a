"""A page for each name that YAML gives to adapters and transformers, from their declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from option_table import tables

from hub.core.plugin import DestinationPlugin, Plugin, SourcePlugin, StepPlugin, TransformerPlugin, endpoint_field
from hub.core.plugins import Plugins

GUIDES = Path(__file__).parent / "guides"
KINDS = {
    "endpoint": "Endpoint",
    "source": "Source",
    "destination": "Destination",
    "reader": "Reader",
    "writer": "Writer",
    "step": "Step",
}
GROUPS = {
    "Adapters": ("endpoint", "source", "destination"),
    "Formats": ("reader", "writer"),
    "Steps": ("step",),
}
REFERENCE = re.compile(r"\$\{[^}]+\}")


def pages(plugins: Plugins) -> dict[str, str]:
    """`plugins/sftp.md` and its like, and `plugins/index.md`."""
    named: dict[str, list[Plugin]] = {}
    for kind in KINDS:
        for plugin in plugins.by_kind[kind].values():
            named.setdefault(plugin.name, []).append(plugin)
    found = {f"plugins/{name}.md": "\n".join(page(name, named[name], plugins)) for name in sorted(named)}
    return {"plugins/index.md": "\n".join(index(named)), **found}


def index(named: Mapping[str, Iterable[Plugin]]) -> Iterator[str]:
    yield "# Adapters and transformers\n"
    yield "What the declarations say. Each page has an example for every kind, which the tests load.\n"
    for title, kinds in GROUPS.items():
        yield f"## {title}\n"
        yield "| | | |"
        yield "| --- | --- | --- |"
        for name in sorted(named):
            for plugin in named[name]:
                if plugin.kind in kinds:
                    yield f"| [{name}]({name}.md#{plugin.kind}) | {plugin.kind} | {plugin.summary} |"
        yield ""


def page(name: str, plugins: Iterable[Plugin], known: Plugins) -> Iterator[str]:
    yield f"# {name}\n"
    guides = [f"[{title}](../../guides/{path})" for path, title in guides_with(name)]
    if guides:
        yield f"In the guides: {', '.join(guides)}.\n"
    for plugin in plugins:
        yield f"## {KINDS[plugin.kind]}\n"
        yield f"{plugin.summary}\n"
        path, text = entry(plugin, known)
        yield f"```yaml\n# {path}\n{text}```\n"
        yield from notes(plugin)
        schema = plugin.options.model_json_schema(by_alias=True)
        yield from tables(schema, schema)


def notes(plugin: Plugin) -> Iterator[str]:
    """What the declaration says beyond the options."""
    found = []
    named = endpoint_field(plugin)
    if named is not None:
        field, kind = named
        found.append(f"`{field}` names an endpoint [`{kind}`]({kind}.md#endpoint).")
    if plugin.shorthand is not None:
        found.append(f"A bare value is its `{plugin.shorthand}`.")
    declared = {field: folder for field, folder in plugin.files.items() if field in plugin.options.model_fields}
    for field, folder in declared.items():
        found.append(f"`{shown(plugin, field)}`: a file of `{folder}`.")
    if isinstance(plugin, DestinationPlugin | StepPlugin) and plugin.fact_templates:
        fields = ", ".join(f"`{shown(plugin, field)}`" for field in plugin.fact_templates)
        found.append(f"A `{{fact}}` is substituted in {fields}.")
    for field in plugin.conditions if isinstance(plugin, StepPlugin) else ():
        found.append(f"`{shown(plugin, field)}` is CEL over [facts](../facts.md).")
    for field in plugin.partners if isinstance(plugin, SourcePlugin | TransformerPlugin) else ():
        if field in plugin.options.model_fields:
            found.append(f"`{shown(plugin, field)}` names partners of `config/partners`.")
    if found:
        yield "\n".join(f"- {one}" for one in found) + "\n"


def shown(plugin: Plugin, field: str) -> str:
    """The field's name in YAML."""
    return plugin.options.model_fields[field].alias or field


def entry(plugin: Plugin, known: Plugins) -> tuple[str, str]:
    """The example as it stands in a site: a file's name, and its text."""
    own = (
        f"{plugin.name}:\n{indented(plugin.example.rstrip())}\n" if plugin.example.strip() else f"{plugin.name}: {{}}\n"
    )
    if plugin.kind == "endpoint":
        return "config/endpoints.yaml", f"{endpoint_name(plugin, known)}:\n{indented(own)}\n"
    if plugin.kind == "destination":
        return "config/destinations.yaml", f"{plugin.name}-out:\n{indented(own)}\n"
    if plugin.kind == "writer":
        return "config/destinations.yaml", f"out:\n  file: {{folder: var/out}}\n  write:\n{indented(own, 4)}\n"
    return f"routes/{plugin.name}.yaml", "format: 1\nowner: order-desk\nsources:\n" + source(plugin, own)


def source(plugin: Plugin, own: str) -> str:
    if plugin.kind == "source":
        return f"  {plugin.name}-in:\n{indented(own, 4)}\n    read: {fitting(plugin.example)}\n"
    inbox = "  inbox:\n    file: {folder: var/drop}\n"
    if plugin.kind == "reader":
        return f"{inbox}    read:\n{indented(own, 6)}\n"
    return f"{inbox}    read: {{json: order@1}}\n    steps:\n      - name: first\n{indented(own, 8)}\n"


def fitting(example: str) -> str:
    """A reader of what the example of a source takes."""
    emitted = re.search(r'"document": "(\w+@\d+)"', example)
    return "x12" if ".edi" in example else f"{{json: {emitted[1] if emitted else 'order@1'}}}"


def endpoint_name(plugin: Plugin, known: Plugins) -> str:
    """The name by which the examples of its sources and destinations know it."""
    for kind in (SourcePlugin, DestinationPlugin):
        for user in known.every(kind):
            if user.endpoint is not None and user.endpoint[1] == plugin.name:
                options = yaml.safe_load(REFERENCE.sub("x", user.example)) or {}
                if user.endpoint[0] in options:
                    return str(options[user.endpoint[0]])
    return plugin.name


def indented(text: str, by: int = 2) -> str:
    return "\n".join(" " * by + line if line else "" for line in text.rstrip().splitlines())


def guides_with(name: str) -> Iterator[tuple[str, str]]:
    """The guides in whose YAML the name is a key: file and title."""
    key = re.compile(rf"(^|[\s{{]){re.escape(name)}: ?", re.MULTILINE)
    for path in sorted(GUIDES.glob("*.md")):
        text = path.read_text()
        if any(key.search(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
            yield path.name, text.partition("\n")[0].removeprefix("# ").partition(":")[0].lower()
