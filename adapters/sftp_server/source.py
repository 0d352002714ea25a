"""The hub as the SFTP server that partners drop into. asyncssh speaks the protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncssh

from adapters.inbox.due_files import AT_ONCE, SOON, DueFiles, Failure
from adapters.inbox.folder_sync import sync
from adapters.inbox.spool import local_body
from adapters.sftp_server.accounts import Account
from adapters.sftp_server.algorithms import algorithms, offered_host_keys
from adapters.sftp_server.door import Door, Doorkeeper
from adapters.sftp_server.home import Home, name_of
from adapters.sftp_server.jail import Jail
from adapters.sftp_server.options import WORK, SftpServerSourceOptions
from hub.core.context import Context
from hub.core.errors import ConfigError, TransientError
from hub.core.options.duration import seconds
from hub.core.options.name_pattern import facts_of_names
from hub.core.ports import Arrival, Take

DONE, FAILED = "done", "failed"


class SftpServerSource:
    """Serves one port. A file is claimed in the moment its handle closes, before the partner hears that it did, and
    offered to the intake from there; what a crash left claimed is offered again."""

    def __init__(self, name: str, options: SftpServerSourceOptions, context: Context) -> None:
        self._name = name
        self._options = options
        self._site = context.site
        self._folder = self._site / options.folder
        self._log, self._clock = context.log, context.clock
        self._facts = facts_of_names(options.name)
        self._accounts = {login: Account(login, account, context.clock) for login, account in options.accounts.items()}
        self._waiting: asyncio.Queue[tuple[str, Path, str, bool]] = asyncio.Queue()
        self._claimed = DueFiles(name, 0.2, context.clock, context.log)
        self._door = Door(name, options, self._accounts, self._log, context.clock)
        self.port = 0
        """The port that it listens on, once it does."""

    async def run(self, take: Take) -> None:
        loop = asyncio.get_running_loop()

        def taken(login: str, path: Path, name: str, again: bool = False) -> None:
            loop.call_soon_threadsafe(self._waiting.put_nowait, (login, path, name, again))

        homes = {login: self._home(account, taken) for login, account in self._accounts.items()}
        for home in homes.values():
            await asyncio.to_thread(home.prepare)
            for left in sorted(home.work.iterdir()):
                taken(home.account.name, left, name_of(left), again=True)
        await asyncio.to_thread(self._tell_left)
        host, _, port = self._options.listen.rpartition(":")
        try:
            server = await asyncssh.listen(
                host.strip("[]"),
                int(port),
                server_factory=lambda: Doorkeeper(self._door),
                server_host_keys=offered_host_keys(await asyncio.to_thread(self._host_key)),
                sftp_factory=lambda channel: Jail(
                    channel, homes[channel.get_extra_info("username")], self._log, self._clock
                ),
                sftp_version=3,
                allow_scp=False,
                agent_forwarding=False,
                x11_forwarding=False,
                login_timeout=seconds(self._options.login_timeout),
                keepalive_interval=30,
                keepalive_count_max=3,
                compression_algs=None,
                **algorithms(),
            )
        except OSError as error:
            raise TransientError(
                f"can't listen on {self._options.listen}: {error.strerror or error}", "unreachable"
            ) from error
        self.port = server.get_port()
        self._log.info("sftp_server_listens", source=self._name, host=host, port=self.port)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._offer(take))
                group.create_task(self._door.end_the_idle())
                group.create_task(self._door.end_the_greedy())
        finally:
            server.close()
            await self._door.say_good_bye()
            await server.wait_closed()

    def _tell_left(self) -> None:
        """Files that were confirmed to an account which is gone by now: nobody knows whose partner's they are."""
        for folder in sorted((self._folder / WORK).iterdir()):
            files = sum(1 for _ in folder.iterdir()) if folder.is_dir() and folder.name not in self._accounts else 0
            if files:
                hint = "bring the account back, under this name, to have them taken, or move them away"
                self._log.error("files_of_no_account", source=self._name, folder=str(folder), files=files, hint=hint)

    def _home(self, account: Account, taken: Any) -> Home:
        login = account.name
        return Home(account, self._folder / login, self._folder / WORK / login, self._options.ignore, taken)

    def _host_key(self) -> asyncssh.SSHKey:
        path = self._site / self._options.host_key
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                made = asyncssh.generate_private_key("ssh-ed25519", comment=f"hub {self._name}")
                path.touch(0o600)
                made.write_private_key(path)
            key = asyncssh.read_private_key(path)
        except (OSError, asyncssh.KeyImportError) as error:
            raise ConfigError(f"the host key {self._options.host_key} can't be used: {error}") from error
        self._log.info("sftp_server_key", source=self._name, fingerprint=key.get_fingerprint())
        return key

    async def _offer(self, take: Take) -> None:
        """Takes one file after the other. Ends only when it is cancelled."""
        while True:
            login, path, name, again = await self._waiting.get()
            try:
                await self._offer_file(login, path, name, take, again)
            except Exception as error:  # noqa: BLE001
                # Whatever broke: the file is still claimed, and is offered again.
                pause = self._claimed.postpone(path.name, error, Failure(SOON), known_as=name)
                self._clock.call_later(pause, self._waiting.put_nowait, (login, path, name, True))

    async def _offer_file(self, login: str, path: Path, name: str, take: Take, again: bool) -> None:
        body = await asyncio.to_thread(local_body, path)
        partner = self._accounts[login].partner
        facts = self._facts(name)
        result = await take(Arrival(self._name, body, name, facts=facts, partner=partner, offered_again=again))
        await asyncio.to_thread(self._put_away, login, path, result.failed)
        self._claimed.end_pauses(path.name)
        await result.settled()

    def _put_away(self, login: str, path: Path, failed: bool) -> None:
        if not self._options.keep and not failed:
            path.unlink()
        else:
            folder = self._folder / (FAILED if failed else DONE) / login
            folder.mkdir(parents=True, exist_ok=True)
            path.rename(folder / path.name)
        sync(path.parent)
