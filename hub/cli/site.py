"""What every command needs of its site: the folder, the settings, the journal."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from hub.app.journal_view import looking_at, missing_journal, opened
from hub.app.keeping.private_files import make_private
from hub.app.logs import make_logger
from hub.app.plugin_discovery import discover
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import journal_url
from hub.cli.shell.output import AWAY, LATER, fail, note
from hub.cli.shell.site_option import HERE, SiteDir, disk_error
from hub.configuration.site import Checked, Settings
from hub.core.errors import ConfigError, JournalUnavailable
from hub.journal.commands import UNFINISHED, Commands, CommandStatus
from hub.journal.journal import Journal

__all__ = [
    "HERE",
    "SiteDir",
    "changing_journal",
    "checked_site",
    "command",
    "disk_error",
    "journal_of",
    "run",
    "settings_of",
    "whoami",
    "with_journal",
]

T = TypeVar("T")

NOT_YET = ": the command is recorded, and carried out when one starts"


def checked_site(folder: Path) -> Checked:
    """Ends the program where the site can't even be read."""
    try:
        return SiteFolder(folder).check(discover())
    except ConfigError as error:
        fail(str(error))


def settings_of(folder: Path) -> Settings:
    """config/hub.yaml, whatever else is wrong with the site: looking at the journal must always work."""
    try:
        return SiteFolder(folder).settings(os.environ)
    except ConfigError as error:
        fail(str(error))


@asynccontextmanager
async def journal_of(folder: Path) -> AsyncIterator[Journal]:
    """The journal for looking into it: where no hub has made one yet it is empty, and a note on stderr says so."""
    site, settings = SiteFolder(folder), settings_of(folder)
    if (missing := missing_journal(site, settings)) is not None:
        note(no_hub_yet(missing))
    async with looking_at(site, settings) as journal:
        yield journal


def no_hub_yet(missing: Path) -> str:
    return f"no hub has run on this site yet: there is no journal {missing}"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work; what can't be reached ends it with a sentence. What it makes is private, as what a hub
    makes."""
    make_private()
    make_logger("error", everywhere=True)  # stdout has the answer, which a program may read
    try:
        return asyncio.run(work)
    except JournalUnavailable as error:
        fail(str(error), AWAY)
    except ConfigError as error:
        fail(str(error))
    except OSError as error:
        fail(disk_error(error))


def with_journal(folder: Path, work: Callable[[Journal], Awaitable[T]]) -> T:
    """Runs `work(journal)`, which reads."""

    async def open_and_work() -> T:
        async with journal_of(folder) as journal:
            return await work(journal)

    return run(open_and_work())


def changing_journal(folder: Path, work: Callable[[Journal], Awaitable[T]]) -> T:
    """Runs `work(journal)`, which writes: the journal is made where there is none yet."""

    async def open_and_work() -> T:
        settings, site = settings_of(folder), SiteFolder(folder)
        async with opened(journal_url(site, settings), site.resolve(settings.claims)) as journal:
            return await work(journal)

    return run(open_and_work())


def whoami() -> str:
    """Who gives a command, for the journal: the user that the operating system knows, and no variable that anybody can
    set. A command by root through sudo names whom sudo has let in; only root could set that variable to anything
    else."""
    user = name_of(os.getuid())
    asked = os.environ.get("SUDO_UID", "")
    if os.getuid() == 0 and asked.isascii() and asked.isdecimal() and len(asked) <= 10 and int(asked):
        user = f"{name_of(int(asked))} as {user}"
    return f"{user}@{socket.gethostname()}"


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"


def command(
    folder: Path, kind: str, arguments: dict[str, Any], timeout: float, *, record: bool = True
) -> dict[str, Any]:
    """Leaves a command for the hub that runs on this site, and waits for its result. Ends the program when it fails, or
    with code 3 when nobody has carried it out in time: the command then stays recorded. Without `record` it is not even
    left where no hub runs."""

    async def work(journal: Journal) -> tuple[CommandStatus | None, dict[str, Any]]:
        """None: nobody runs who could carry it out."""
        commands = Commands(journal)
        running = await commands.processes()
        if not running and not record:
            return None, {}
        id = await commands.submit(kind, arguments, whoami())
        if not running:
            return None, {}
        status, result = CommandStatus.PENDING, dict[str, Any]()
        deadline = journal.clock.monotonic() + timeout
        while status in UNFINISHED and journal.clock.monotonic() < deadline:
            await journal.clock.sleep(0.1)
            status, result = await commands.state(id)
        return status, result

    if record and (missing := missing_journal(SiteFolder(folder), settings_of(folder))) is not None:
        fail(f"{no_hub_yet(missing)}, and nothing to do this with", LATER)
    status, result = with_journal(folder, work)
    if status is None:
        fail("no hub runs on this site" + (NOT_YET if record else ": it reads the files when it starts"), LATER)
    if status in UNFINISHED:
        fail(f"the hub has not finished this in {timeout:.0f} seconds: the command stays recorded", LATER)
    if status is CommandStatus.FAILED:
        fail(str(result.get("error", "the command failed")))
    return result
