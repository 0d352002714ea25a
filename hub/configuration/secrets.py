"""Secrets stand in the environment, never in a file of the site."""

from __future__ import annotations

import re

from hub.configuration.finding import Findings
from hub.configuration.yaml_file import Node, YamlFile
from hub.configuration.yaml_loader import REFERENCE

SECRET_KEY = re.compile(
    r"(?:^|_)(?:token|password|passwd|passphrase|secret|bearer|api_?key|private_key|credentials?|authorization|cookie)$"
)
USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@:]*:(?P<password>[^/\s@]+)@")
FILE = "file"
BY_REFERENCE = "write ${NAME} and set the environment variable"


def is_secret_key(name: str) -> bool:
    """Whether a value under this key is a secret: `token`, `password`, `client_secret`, `X-Api-Key`, ..."""
    return SECRET_KEY.search(name.lower().replace("-", "_")) is not None


def check_secrets(file: YamlFile, node: Node, findings: Findings, secret: bool = False) -> None:
    """An error for each secret that is written out: under a key that names one, or as the password in a URL. `{file: ...}`
    is a reference too. Never shows what it found."""
    if node.kind == "scalar":
        _check_scalar(file, node, findings, secret)
    for item in node.items:
        check_secrets(file, item, findings, secret)
    for key, value in node.entries.items():
        check_secrets(file, value, findings, (secret and key not in (FILE, "user")) or is_secret_key(key))


def _check_scalar(file: YamlFile, node: Node, findings: Findings, secret: bool) -> None:
    if node.missing:
        return
    if secret and node.value not in (None, "") and (not node.referenced or node.defaulted or ":-" in node.raw):
        findings.error(file.place_of(node), "a secret can only stand here by reference", BY_REFERENCE)
    elif (match := USERINFO.search(node.raw)) and not REFERENCE.fullmatch(match["password"]):
        findings.error(file.place_of(node), "the URL holds a password; it can only stand by reference", BY_REFERENCE)
