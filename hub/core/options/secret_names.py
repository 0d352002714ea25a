"""Names under which secrets stand: keys of options, headers, parameters of queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from hub.core.options.naming import PLACE

WORDS = (
    "token|password|passwd|passwort|pwd|pass|passphrase|passcode|secrets?|bearer|api_?key|private_?key|access_?key|account_?key|"
    "secret_?key|shared_?key|shared_access_key|subscription_?key|functions?_?key|signing_?key|encryption_?key|auth_?key|hmac_?key|"
    "master_?key|credentials?|authorization|cookie|sas|connection_?string|client_?secret|access_?token|refresh_?token"
)
SECRET_KEY = re.compile(rf"(?:^|[_.])(?:{WORDS})$")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SIGNED = ("sig", "signature")
"""Parameters of queries that sign a URL, so that whoever has it may use it."""

BLACKENED = "***"
"""What is kept or shown in place of a secret."""

SHORTEST_SECRET = 6
"""Characters from which on a secret that a far end repeats is blackened; a shorter one would blacken half the reply."""

SCHEME = re.compile(r"(?i:bearer|basic|token|digest|apikey|api-key|sharedaccesssignature|dpop)\s+")
"""How the value of a header begins that lets somebody in; by itself it is no secret."""


@lru_cache(maxsize=1024)
def is_secret_key(name: str) -> bool:
    """Whether a value under this key is a secret: `token`, `password`, `client_secret`, `X-Api-Key`, `accountKey`,
    ..."""
    return SECRET_KEY.search(CAMEL.sub("_", name).lower().replace("-", "_")) is not None


def is_credential(name: str, template: str) -> bool:
    """Whether a header or parameter lets us in: by its name, or by how its value begins. A value that is a fact and
    nothing else is the document's."""
    named = is_secret_key(name) or name.lower() in SIGNED or SCHEME.match(template) is not None
    return named and PLACE.fullmatch(template) is None


def without_credentials(templates: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Those that may be shown, and those that let us in."""
    hidden = {name: text for name, text in templates.items() if is_credential(name, text)}
    return {name: text for name, text in templates.items() if name not in hidden}, hidden


def without_secret_parameters(url: str) -> tuple[str, str]:
    """A URL, or a path with its query, without the parameters that let us in; and these, as a query: `?sig=...`, or
    nothing."""
    place, _, query = url.partition("?")
    pairs = query.split("&")
    hidden = [pair for pair in pairs if is_credential(*pair.partition("=")[::2])]
    if not hidden:
        return url, ""
    left = [pair for pair in pairs if pair not in hidden]
    return place + (f"?{'&'.join(left)}" if left else ""), f"?{'&'.join(hidden)}"


def with_parameters(url: str, query: str) -> str:
    """The URL with a further query, which begins with `?` or is empty."""
    return f"{url}&{query[1:]}" if query and "?" in url else url + query


def parameter_names(query: str) -> tuple[str, ...]:
    """Of a query that begins with `?`."""
    return tuple(pair.partition("=")[0] for pair in query[1:].split("&") if pair)
