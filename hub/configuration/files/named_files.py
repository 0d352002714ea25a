"""Files that options name beside the site's own: keys, certificates, authorities."""

from __future__ import annotations

from typing import Any

from hub.configuration.draft import Draft
from hub.configuration.files.marked_options import marked
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.core.plugin import FILE, FORMAT, Plugin


def check_named_files(draft: Draft, file: YamlFile, node: YamlNode, kind: type[Plugin[Any]]) -> None:
    """A warning for each file that is not there: keys often stand on the hub's host alone, and the check may run
    elsewhere. What stands in for a variable that is not set is not looked for."""
    if draft.folder is None:
        return
    for key, value in node.entries.items():
        plugin = draft.plugins.find(kind, key)
        if plugin is None:
            continue
        for option, form in marked(plugin.options, value, FORMAT):
            if form == FILE[FORMAT] and is_told(option) and not (draft.folder / str(option.value)).is_file():
                text = f"there is no file {option.raw} on this host"
                draft.findings.warning(file.place_of(option), text, "a relative path begins at the site's folder")


def is_told(option: YamlNode) -> bool:
    """Whether somebody has named a file here: not where a variable is missing, and not by a default."""
    return isinstance(option.value, str) and option.value != "" and not option.missing and not option.defaulted
