"""A folder of a store as a destination: one object a document."""

from __future__ import annotations

import hashlib

from adapters.file.address import FileAddress
from adapters.file.destination import FileDestinationOptions
from adapters.file.store import FileStore
from hub.core.errors import MappingError, RejectedError
from hub.core.ports import Outgoing, Receipt
from hub.documents.naming import file_name


class StoreDestination:
    """Writes an object whole. One that stands there with the same contents counts as delivered; another one is never
    replaced unless told."""

    def __init__(self, options: FileDestinationOptions, store: FileStore) -> None:
        self._options = options
        self._store = store

    def address(self, outgoing: Outgoing) -> FileAddress:
        name = outgoing.fixed_address or self.fix_address(outgoing)
        return FileAddress(folder=self._options.folder, name=name, store=self._options.store)

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The file's name. See `hub.core.ports.Addressing`."""
        try:
            return file_name(outgoing.facts, self._options.name, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_name") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await self._store.in_thread(self._put, self.address(outgoing), outgoing.body)

    def _put(self, address: FileAddress, body: bytes) -> Receipt:
        path, name = self._store.path(address.folder, address.name), address.name
        if self._store.put(path, body, self._options.overwrite):
            return Receipt(f"written to {name}")
        there = self._store.look(path)
        same = there is not None and there.size == len(body)
        if same and self._store.digest(path) == hashlib.sha256(body).hexdigest():
            return Receipt(f"{name} stood there already, with the same contents")
        raise RejectedError(f"{name} stands there already with other contents", code="exists")

    async def close(self) -> None:
        return None
