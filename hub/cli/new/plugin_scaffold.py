"""A plug-in of one's own, drafted as a distribution that works as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.app.plugin_discovery import GROUP
from hub.configuration.files.models import DESTINATION_KEYS, SOURCE_KEYS
from hub.core.options.nearest import hint
from hub.core.plugin import KINDS
from hub.core.plugins import Plugins

ScaffoldKind = Literal["source", "destination", "reader", "writer"]
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
LONGEST = 40
OTHER_KEYS = (*SOURCE_KEYS, *DESTINATION_KEYS)
"""Keys that stand beside a plug-in's in YAML."""
TEMPLATES = Environment(  # noqa: S701  its files are Python, TOML and Markdown, which no browser sees
    loader=PackageLoader("hub.cli.new"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    variable_start_string="${",
    variable_end_string="}",
)  # Python and YAML are full of braces, so that a value stands as ${name}
"""The files of `templates/`: `plugin.py.j2`, its `contract_test.py.j2` and the `usage.yaml.j2` of each kind."""


class ScaffoldRefused(ValueError):
    """There can't be such a plug-in, or it can't be put there; says why."""


@dataclass(frozen=True, slots=True)
class PluginScaffold:
    """A distribution to be: its name, and its files by path and text."""

    distribution: str
    files: dict[str, str]


def scaffold(kind: ScaffoldKind, name: str, plugins: Plugins) -> PluginScaffold:
    """Raises ScaffoldRefused where the name isn't one, or is taken among the plug-ins of this kind."""
    _check(kind, name, plugins)
    module = f"hub_{kind}_{name}"
    distribution = module.replace("_", "-")
    words = {
        "name": name,
        "kind": kind,
        "module": module,
        "distribution": distribution,
        "group": GROUP,
        "Noun": "".join(word.capitalize() for word in name.split("_")) + kind.capitalize(),
    }
    templates = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{module}.py": f"{kind}/plugin.py.j2",
        f"tests/test_{module}.py": f"{kind}/contract_test.py.j2",
    }
    files = {path: TEMPLATES.get_template(template).render(words) for path, template in templates.items()}
    return PluginScaffold(distribution, files)


def _check(kind: ScaffoldKind, name: str, plugins: Plugins) -> None:
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise ScaffoldRefused(
            f"{name!r} can't be a plug-in's name: small letters, digits and single _, beginning with a letter, "
            f"at most {LONGEST} (acme_spool)"
        )
    if iskeyword(name) or name in OTHER_KEYS:
        raise ScaffoldRefused(f"{name!r} can't be a plug-in's name: the word has a meaning of its own")
    if plugins.find(KINDS[kind], name) is not None:
        taken = plugins.names(KINDS[kind])
        raise ScaffoldRefused(f"there is a {kind} {name!r} already; taken are {', '.join(taken)}")


def kind_of(word: str, kinds: tuple[ScaffoldKind, ...]) -> ScaffoldKind:
    """Raises ScaffoldRefused, with the nearest, where it is none of these."""
    for kind in kinds:
        if word == kind:
            return kind
    raise ScaffoldRefused(f"there is no kind {word!r} here ({hint(word, kinds)})")


def put(made: PluginScaffold, folder: Path) -> tuple[Path, ...]:
    """Writes the files into a folder that isn't there yet, or is empty. Never over anything. Raises ScaffoldRefused,
    OSError."""
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise ScaffoldRefused(f"{folder} is there already, and nothing is overwritten; say another --folder")
    paths = []
    for name, text in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
        paths.append(path)
    return tuple(paths)
