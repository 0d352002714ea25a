"""Facts in the path, the query and the headers of a call: each is one that the documents of its routes have."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder

FILES = {
    "config/hub.yaml": "broker: embedded\n",
    "config/endpoints.yaml": 'erp: {rest: {base: "https://erp.example"}}\n',
    "config/facts.yaml": "department: {from: order.department, type: text}\n",
    "routes/all.yaml": (
        "format: 1\nowner: desk\nsources:\n  inbox: {file: {folder: in}, read: {json: order@1}}\n  bills: {file:"
        " {folder: b}, read: {json: invoice@1}}\nroutes:\n  - {id: all, when: {document: [order, invoice]}, to:"
        " [erp]}\n"
    ),
}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ("call: 'POST /o/{department}'", "call"),
        ("call: POST /o, query: {d: '{department}', e: '{department}', n: '{number}'}", "query"),
        ("call: POST /o, headers: {X-Department: '{department}'}", "headers"),
    ],
)
def test_a_fact_that_a_document_cannot_have_is_found_wherever_it_stands(
    tmp_path: Path, options: str, field: str
) -> None:
    files = FILES | {"config/destinations.yaml": f"erp:\n  rest: {{endpoint: erp, {options}}}\n"}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (found,) = [str(finding) for finding in SiteFolder(tmp_path).check(discover(), {}).findings]
    assert f"destination erp needs department for its {field}, which invoice doesn't have (order has it)" in found
