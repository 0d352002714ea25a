"""Bearer tokens: JSON Web Tokens (RFC 7519) that somebody else signs, with keys of a file (RFC 7517)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from adapters.http.auth_options import JwtOptions
from hub.core.errors import ConfigError
from hub.core.options.duration import seconds

LONGEST = 8192


@dataclass(frozen=True, slots=True)
class TokenSays:
    """`name` is the sender; empty: refused, with that status."""

    name: str = ""
    status: int = 401
    why: str = ""


class BearerTokens:
    """Takes only the algorithms of the options, whatever a token says of itself, and only keys of the file."""

    def __init__(self, options: JwtOptions, site: Path) -> None:
        self._options = options
        self._file = site / "config" / options.jwks
        self._partners = {value: partner for partner, value in options.partners.items()}
        self._read: tuple[float, dict[str, Any]] = (0.0, {})
        self._keys()

    def sender(self, token: str) -> TokenSays:
        try:
            claims = self._claims(token)
        except (jwt.PyJWTError, ValueError, ConfigError) as error:
            return TokenSays(why=f"token refused: {error}")
        value = claims.get(self._options.claim)
        name = self._partners.get(value, "") if isinstance(value, str) else ""
        return (
            TokenSays(name) if name else TokenSays(status=403, why=f"{self._options.claim} {value!r} is no partner's")
        )

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise ValueError("it is too long")
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in self._options.algorithms:
            raise ValueError(f"its algorithm is {header.get('alg')!r}")
        if "crit" in header:
            raise ValueError("it has critical extensions")
        keys = self._keys()
        key = keys.get(header.get("kid", "")) or (
            next(iter(keys.values())) if len(keys) == 1 and "kid" not in header else None
        )
        if key is None:
            raise ValueError(f"there is no key {header.get('kid')!r}")
        found: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=list(self._options.algorithms),
            audience=self._options.audience,
            issuer=self._options.issuer,
            leeway=seconds(self._options.leeway),
            options={"require": ["exp", "iss", "aud"]},
        )
        return found

    def _keys(self) -> dict[str, Any]:
        """By key id; only public keys. Raises ConfigError."""
        try:
            changed = self._file.stat().st_mtime
            if changed != self._read[0]:
                told = json.loads(self._file.read_bytes())
                listed = jwt.PyJWKSet.from_dict(told).keys
                keys = {key.key_id or "": key for key in listed if key.key_type != "oct" and may_sign(key)}
                self._read = (changed, keys)
        except (OSError, ValueError, jwt.PyJWTError, AttributeError) as error:
            raise ConfigError(f"config/{self._options.jwks} is no usable file of keys: {error}") from error
        return self._read[1]


def may_sign(key: jwt.PyJWK) -> bool:
    """Whether the file says nothing else of the key (RFC 7517, 4.2 and 4.3): one for encryption proves nobody."""
    use, operations = key.public_key_use, key._jwk_data.get("key_ops")
    return use in (None, "sig") and (not isinstance(operations, list) or "verify" in operations)
