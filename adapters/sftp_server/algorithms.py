"""What the drop box offers in its handshake: an explicit list, without SHA-1 and without anything that makes a key for
a stranger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncssh
from asyncssh.encryption import get_encryption_algs
from asyncssh.kex import get_kex_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_public_key_algs

KEY_EXCHANGES = (
    "mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256",
)  # fmt: skip
CIPHERS = (
    "chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr",
    "aes128-ctr",
)  # fmt: skip
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
SIGNATURES = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
"""Of host keys and of clients' keys. An `ssh-rsa` key signs as `rsa-sha2-*`."""


def available(wanted: Sequence[str], known: Iterable[bytes]) -> list[str]:
    """Those that the installed asyncssh has: some come with an optional library."""
    names = {name.decode() for name in known}
    return [name for name in wanted if name in names]


def algorithms() -> dict[str, list[str]]:
    """Arguments of `asyncssh.listen`."""
    return {
        "kex_algs": available(KEY_EXCHANGES, get_kex_algs()),
        "encryption_algs": available(CIPHERS, get_encryption_algs()),
        "mac_algs": available(MACS, get_mac_algs()),
        "signature_algs": available(SIGNATURES, get_public_key_algs()),
    }


def offered_host_keys(key: asyncssh.SSHKey) -> Any:
    """The host key, offered with the signatures of the list alone: an RSA key of the site never signs with SHA-1."""
    pairs = asyncssh.load_keypairs(key)
    for pair in pairs:
        pair.host_key_algorithms = [name for name in pair.host_key_algorithms if name.decode() in SIGNATURES]
    return pairs


def without_sha1(key: asyncssh.SSHKey) -> asyncssh.SSHKey:
    """The client's key, which asyncssh then verifies with the signatures of the list alone."""
    key.all_sig_algorithms = {name for name in key.all_sig_algorithms if name.decode() in SIGNATURES}
    return key
