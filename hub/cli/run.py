"""`hub run`."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import typer
import uvloop

from hub.app.diagnosing.descriptors import allow_all_descriptors
from hub.app.keeping.private_files import make_private
from hub.app.logs import LEVELS, make_logger
from hub.app.plugin_discovery import discover
from hub.app.running_hub import STOP_SECONDS, RunningHub
from hub.app.site_folder import SiteFolder
from hub.cli.shell.output import FOUND, counted, err, fail
from hub.cli.site import HERE, SiteDir, checked_site, disk_error
from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError, HubError, JournalUnavailable, TransientError

GC_THRESHOLD = (50_000, 20, 50)
"""Messages are short-lived and free of cycles: collecting after every 700 objects, Python's default, costs a tenth."""

SWITCH_SECONDS = 0.0005
"""After so long a busy event loop lets another thread go on. The journal's thread asks for that after each statement;
with Python's default, 5 ms, a commit of a busy hub waits longer for the interpreter than for the disk."""

RELOAD_AGAIN = 1.0
"""Seconds after which a reload is tried again for which broker or journal were away."""


def run_command(serving: Callable[[RunningHub, str], AbstractAsyncContextManager[str]]) -> Callable[..., None]:
    """The command, with the HTTP face that it shows."""

    def run(
        site: SiteDir = HERE,
        log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
        log_json: Annotated[
            bool | None, typer.Option(help="JSON lines; without it: unless stderr is a terminal.")
        ] = None,
        stop_after: Annotated[
            float, typer.Option(metavar="SECONDS", help="How long a stop may wait for what is in work.")
        ] = STOP_SECONDS,
    ) -> None:
        """Runs the hub of a site until SIGTERM or Ctrl-C.

        SIGHUP, like `hub reload`, reads the files again; a version with errors changes nothing. A stop finishes what is
        in work, for a bounded time; the rest stays with the broker. Example: hub run --site /srv/hub
        """
        if log_level not in LEVELS:
            raise typer.BadParameter(f"{log_level!r} is no log level; one of {', '.join(LEVELS)}")
        checked = checked_site(site)
        for finding in checked.findings:
            err.print(str(finding), style="red" if finding.severity == "error" else "yellow", markup=False)
        if checked.site is None:
            fail(f"{counted(len(checked.errors), 'error')}: the hub doesn't start", FOUND)
        try:
            log = make_logger(log_level, json=log_json, everywhere=True)
            allow_all_descriptors()
            make_private()
            hub = RunningHub(SiteFolder(site), checked.site, discover(), log, SystemClock())
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                tune_interpreter()
                runner.run(main(hub, serving, stop_after))
        except ConfigError as error:
            fail(str(error))
        except OSError as error:
            fail(disk_error(error))

    return run


def tune_interpreter() -> None:
    """For the process of a hub. What it has loaded is looked at no more for garbage."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


async def main(
    hub: RunningHub, serving: Callable[[RunningHub, str], AbstractAsyncContextManager[str]], stop_after: float
) -> None:
    """Serves from the beginning, so that /health/ready can say what the hub waits for."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reloads: set[asyncio.Task[Any]] = set()

    def on_hangup() -> None:
        task = asyncio.create_task(reload(hub))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    settings = hub.settings
    hub.own()
    async with serving(hub, f"{settings.console_host}:{settings.console_port}") as url:
        hub.log.info("console", url=url)
        starting = asyncio.create_task(hub.start())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            if starting.exception() is None:
                await stopping
        else:
            starting.cancel()
            await asyncio.wait({starting})
        stopping.cancel()
        await hub.stop(stop_after)
        if not starting.cancelled():
            starting.result()


async def reload(hub: RunningHub) -> None:
    """This process, and all others that share the journal. While broker or journal are away it is tried again and
    again: nobody reads an answer to a signal."""
    told, waits = False, ""
    while True:
        try:
            if not told:
                await hub.tell_others("reload", "SIGHUP")
                told = True
            await hub.reload()
        except (JournalUnavailable, TransientError) as error:
            if waits != str(error):
                waits = str(error)
                hub.log.warning("reload_waits", error=waits)
            await hub.runtime.clock.sleep(RELOAD_AGAIN)
            continue
        except HubError:
            pass  # said in the log and counted, by the hub
        return
