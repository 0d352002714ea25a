"""Secrets stand in the environment, never in a file of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hub.configuration.files.finding import Findings
from hub.configuration.files.marked_options import marked
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.files.yaml_loader import REFERENCE
from hub.core.options.secret_names import SCHEME, SIGNED, is_secret_key
from hub.core.plugin import WRITE_ONLY, Plugin
from hub.core.plugins import Plugins

USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s@:]{0,200}:(?P<password>[^/\s]{1,500})@")
ASSIGNED = re.compile(r"(?:^|[?&;,\s])(?P<name>[A-Za-z][\w.-]{0,60})\s?=(?!=)\s?(?P<value>[^&;,\s]{1,500})")
"""A parameter of a query, or of a connection string: `?api_key=abc`, `AccountKey=abc;`."""

SHAPES = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE"
    r" KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30}|\bxox[abprs]-[A-Za-z0-9-]{10}"
    r"|\beyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,4000}\.|\bsk_live_[A-Za-z0-9]{10}"
)
"""What is a secret wherever it stands: private keys, tokens of well-known makers, signed tokens."""

NOTHING_DECLARED: Mapping[int, bool] = MappingProxyType({})
HEADERS = ("headers", "header")
FILE = "file"
BY_REFERENCE = "write ${NAME} and set the environment variable"
INLINE = "a secret can only stand here by reference"


def check_entry(file: YamlFile, node: YamlNode, findings: Findings, plugins: Plugins, kind: type[Plugin[Any]]) -> None:
    """As `check_secrets`, for an entry that is made of plug-ins: their options say which of them are secrets."""
    declared: dict[int, bool] = {}
    for key, value in node.entries.items():
        plugin = plugins.find(kind, key)
        if plugin is not None:
            found = marked(plugin.options, value, WRITE_ONLY)
            declared.update((id(inner), bool(secret)) for option, secret in found for inner in option.walk())
    check_secrets(file, node, findings, declared=declared)


def check_secrets(
    file: YamlFile,
    node: YamlNode,
    findings: Findings,
    secret: bool = False,
    header: bool = False,
    declared: Mapping[int, bool] = NOTHING_DECLARED,
) -> None:
    """An error for each secret that is written out: where an option is declared as one, under a key that names one, as
    the password in a URL, as a parameter of a query or connection string, as the value of a header that lets somebody
    in, or by its shape. `{file: ...}` is a reference too. Never shows what it found."""
    secret = declared.get(id(node), secret)
    if node.kind == "scalar" and not node.missing:
        _check_scalar(file, node, findings, secret, header)
    for item in node.items:
        check_secrets(file, item, findings, secret, header, declared)
    for key, value in node.entries.items():
        named = (secret and key not in (FILE, "user")) or is_secret_key(key)
        check_secrets(file, value, findings, named, header or key in HEADERS, declared)


def _check_scalar(file: YamlFile, node: YamlNode, findings: Findings, secret: bool, header: bool) -> None:
    text = node.raw
    if secret and node.value not in (None, "") and (node.defaulted or not is_reference(SCHEME.sub("", text, count=1))):
        findings.error(file.place_of(node), INLINE, BY_REFERENCE)
    elif (match := USERINFO.search(text)) and not is_reference(match["password"]):
        findings.error(file.place_of(node), "the URL holds a password; it can only stand by reference", BY_REFERENCE)
    elif any(not is_reference(value) for value in assigned(text)):
        text = "a parameter of it is a secret, which can only stand by reference"
        findings.error(file.place_of(node), text, BY_REFERENCE)
    elif SHAPES.search(text) or (header and is_let_in(text)):
        findings.error(file.place_of(node), INLINE, BY_REFERENCE)


def is_reference(text: str) -> bool:
    """Whether the text is nothing but references, without defaults."""
    left = text
    for match in REFERENCE.finditer(text):
        if match[1] is None or match[2] is not None:
            return False
        left = left.replace(match[0], "", 1)
    return left.strip() == "" and left != text


def assigned(text: str) -> Iterator[str]:
    """The values of parameters that are secrets by their names; a `{fact}` in the place of one is none."""
    for match in ASSIGNED.finditer(text):
        name, value = match["name"], match["value"].strip("\"'")
        if (is_secret_key(name) or name.lower() in SIGNED) and value and not re.fullmatch(r"\{\w+\}", value):
            yield value


def is_let_in(text: str) -> bool:
    """Whether it is the value of an Authorization header, written out."""
    match = SCHEME.match(text)
    return match is not None and not is_reference(text[match.end() :]) and len(text) - match.end() >= 6
