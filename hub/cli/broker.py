"""`hub broker move`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.app.keeping.left_behind import BROKER_FILE
from hub.app.opening import Opening
from hub.app.site_folder import SiteFolder
from hub.app.site_stores import COMMAND_PATIENCE, make_broker
from hub.broker.embedded.move import Move
from hub.cli.shell.output import AWAY, FOUND, AsJson, counted, fail, print_json, say
from hub.cli.site import HERE, SiteDir, checked_site, command, run
from hub.clock.system_clock import SystemClock
from hub.configuration.site import Site
from hub.core.errors import HubError, plain

commands = typer.Typer(help="The broker: where messages wait.", no_args_is_help=True)


@commands.command()
def move(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Publishes what the embedded broker's file still holds to the RabbitMQ of config/hub.yaml, with confirms.

    The hub must be stopped. What is interrupted is begun again. Example: hub broker move --site /srv/hub
    """
    checked = checked_site(site)
    if checked.site is None:
        fail(f"{counted(len(checked.errors), 'error')} in the site: see hub check", FOUND)
    if checked.site.settings.broker == "embedded":
        fail("config/hub.yaml names the embedded broker: name the RabbitMQ to which the messages are to go (amqp: URL)")
    moved = run(work(SiteFolder(site), checked.site))
    if as_json:
        print_json({"moved": sum(moved.values()), "queues": moved})
        return
    for queue, count in moved.items():
        say(f"  {queue:40} {count}")
    say(f"{counted(sum(moved.values()), 'message')} moved" if moved else f"{BROKER_FILE} holds no message", "green")


@commands.command()
def rebuild(
    site: SiteDir = HERE,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the hub.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Publishes every copy that has no outcome yet again from the journal, for a broker that has lost its messages.

    What is in a queue all the same is published twice, and its effects are made once. Example: hub broker rebuild
    """
    result = command(site, "broker.rebuild", {}, timeout)
    if as_json:
        print_json(result)
        return
    say(f"{counted(result['published'], 'copy').replace('copys', 'copies')} published", "green")
    if result["batches"]:
        say(f"{counted(result['batches'], 'batch').replace('batchs', 'batches')} to be published again", "green")
    if result["left"]:
        which = "the log names them (copy_not_rebuilt), `hub trace` shows each"
        say(f"{result['left']} open without a copy: the journal does not know enough to make one; {which}", "red")
    if result["without_route"]:
        say(f"{result['without_route']} left, because their route is not there any more", "yellow")


async def work(folder: SiteFolder, site: Site) -> dict[str, int]:
    path = folder.resolve(BROKER_FILE)
    if not path.is_file():
        return {}
    broker = make_broker(folder, site.settings, SystemClock(), COMMAND_PATIENCE)
    try:
        await broker.open()
        declared = Opening(folder, broker, None, SystemClock()).open(site).topology()
        return await Move(path, broker, declared, SystemClock()).run()
    except HubError as error:
        fail(f"not all messages were moved: {plain(error)}", AWAY)
    finally:
        await broker.close()
