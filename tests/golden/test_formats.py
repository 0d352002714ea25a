"""Golden pairs of foreign formats: a body and its documents, and a broken twin with what is said of each of its parts.

A folder of tests/golden/formats holds `read.yaml`, what a source says in `read`; the templates, schemas and tables that
it names; `in.*` with `expected.json`, and `broken.*` with `broken.expected.json`: position and document, or position
and error.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.app.plugin_discovery import discover
from hub.core.message import Header
from hub.core.ports import FileBody
from hub.documents import to_json
from tests.unit.transformers.reading import built

FOLDERS = sorted(path for path in (Path(__file__).parent / "formats").iterdir() if path.is_dir())
PLUGINS = discover()


def readings(folder: Path, name: str) -> list[dict[str, Any]]:
    """What the reader of the folder gives of its file of that name."""
    ((kind, options),) = yaml.safe_load((folder / "read.yaml").read_text()).items()
    plugin = PLUGINS.by_kind["reader"][kind]
    given = options if isinstance(options, dict) else {plugin.shorthand: options}
    places = ("routes/templates", "routes/schemas", "config/tables")
    texts = {
        f"{place}/{path.name}": path.read_text()
        for place in places
        for path in folder.iterdir()
        if not path.name.startswith(("in.", "broken."))
    }
    (path,) = (path for path in folder.glob(f"{name}.*") if ".expected." not in path.name)
    found = []
    for reading in built(plugin, json.dumps(given), texts).read(FileBody(path), {Header.NAME: path.name}):
        said = (
            {"error": str(reading.error)}
            if reading.document is None
            else {"document": json.loads(to_json(reading.document))}
        )
        found.append({"position": ".".join(reading.position), **said})
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["in", "broken"])
def test_a_body_gives_what_stands_beside_it(folder: Path, name: str) -> None:
    beside = "expected.json" if name == "in" else "broken.expected.json"
    assert readings(folder, name) == json.loads((folder / beside).read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_pair_is_one(folder: Path) -> None:
    whole, broken = (json.loads((folder / name).read_text()) for name in ("expected.json", "broken.expected.json"))
    assert all("document" in one for one in whole)
    assert any("error" in one for one in broken)
