"""`hub reload`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.app.diagnosing.finding import GONE
from hub.cli.shell.output import FOUND, LATER, AsJson, fail, print_json, say
from hub.cli.site import HERE, SiteDir, whoami, with_journal
from hub.journal.commands import UNFINISHED, Commands, CommandStatus
from hub.journal.journal import Journal


def reload(
    site: SiteDir = HERE,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for all processes.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Makes every running hub process of the site read its files again. A version with errors changes nothing.

    Example: hub reload --site /srv/hub
    """
    told = with_journal(site, lambda journal: ask(journal, timeout))
    if not told:
        fail("no hub runs on this site: it reads the files when it starts", LATER)
    done = [one["result"] for one in told if one["status"] == CommandStatus.DONE]
    failed = any(one["status"] == CommandStatus.FAILED for one in told)
    code = FOUND if failed else 0 if len(done) == len(told) else LATER
    if as_json:
        print_json({**(done[0] if done else {}), "ok": code == 0, "processes": told})
        raise typer.Exit(code)
    for one in told:
        name = f"pid {one['pid']} on {one['host']}: " if len(told) > 1 else ""
        if one["status"] == CommandStatus.DONE:
            show(name, one["result"])
        elif one["status"] == CommandStatus.FAILED and len(told) == 1:
            fail(str(one["result"].get("error", "the command failed")))
        elif one["status"] == CommandStatus.FAILED:
            say(f"{name}{one['result'].get('error', 'failed')}", "red")
        else:
            say(f"{name}has not finished this in {timeout:.0f} seconds: the command stays recorded", "yellow")
    if code:
        raise typer.Exit(code)


async def ask(journal: Journal, timeout: float) -> list[dict[str, Any]]:
    """What each process says; empty where none runs. One that ends meanwhile has nothing to reload."""
    commands = Commands(journal)
    asked = await commands.submit_to_all("reload", {}, whoami())
    states = {id: (CommandStatus.PENDING, dict[str, Any]()) for id, _ in asked}
    end = journal.clock.monotonic() + timeout
    while (waiting := [id for id, state in states.items() if state[0] in UNFINISHED]) and (
        journal.clock.monotonic() < end
    ):
        await journal.clock.sleep(0.1)
        living = {row.id for row in await commands.processes()}
        for id, process in asked:
            if id in waiting:
                states[id] = await commands.state(id)
                if states[id][0] is CommandStatus.PENDING and process.id not in living:
                    await commands.finish(id, CommandStatus.DONE, ended := {"ended": True})
                    states[id] = (CommandStatus.DONE, ended)
    return [
        {
            "process": row.id,
            "pid": row.pid,
            "host": row.host.partition("/")[0],
            "status": states[id][0],
            "result": states[id][1],
        }
        for id, row in asked
    ]


def show(name: str, result: dict[str, Any]) -> None:
    if result.get("ended"):
        say(f"{name}has ended meanwhile")
        return
    if result["before"] == result["table"]:
        say(f"{name}routes unchanged (table {result['table']}); everything else was read again", "green")
    else:
        say(f"{name}table {result['before']} -> {result['table']}", "green")
    for word in ("added", "changed", "removed"):
        if result[word]:
            say(f"{word}: {', '.join(result[word])}")
    for queue, count in result.get("orphans", {}).items():
        say(
            f"{queue} holds {count}, and its route or source is gone: {GONE}",
            "yellow",
        )
    if result.get("restart_needed"):
        say(result["restart_needed"], "yellow")
