"""Everybody whom the demo's hub speaks to: two ERPs, a partner who drops, a partner with a server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from hub.demo.bolt import Bolt
from hub.demo.cora import Cora
from hub.demo.erp import Erp
from hub.demo.legacy_erp import LegacyErp
from hub.demo.ssh_key import SshKey
from hub.demo.web_server import WebServer


class Peers:
    """They are there from `start` until `close`; their keys stand in `folder`, made anew."""

    def __init__(self, folder: Path, erp: Erp, legacy: LegacyErp) -> None:
        self._folder = folder
        self.erp = erp
        self.legacy = legacy
        self.cora = Cora(folder / "cora")
        self._bolt_key: SshKey
        self._servers: list[WebServer] = []
        self.environ: Mapping[str, str] = {}
        """What the hub has to know of them."""

    def start(self) -> None:
        """Raises HubError, OSError."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._bolt_key = SshKey.make(self._folder / "bolt_key")
        self.cora.start()
        self._servers = [
            WebServer("demo-erp", "application/json", self.erp.ask),
            WebServer("demo-legacy-erp", "text/xml; charset=utf-8", self.legacy.ask),
        ]
        self.environ = {
            "ERP_URL": self._servers[0].url,
            "LEGACY_ERP_URL": self._servers[1].url,
            "DROPBOX_LISTEN": "127.0.0.1:0",
            "BOLT_PUBLIC_KEY": self._bolt_key.public,
            "CORA_KEY_FILE": str(self.cora.key.path.resolve()),
            "CORA_HOST_KEY": self.cora.host_key.fingerprint,
        }

    def bolt(self, port: int, host_key: str) -> Bolt:
        """BOLT, once the hub's drop box is there."""
        return Bolt(self._bolt_key, port, host_key)

    def close(self) -> None:
        self.cora.close()
        for server in self._servers:
            server.close()
