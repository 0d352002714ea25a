"""`hub broker move`."""

from __future__ import annotations

import typer

from hub.app.left_behind import BROKER_FILE
from hub.app.opening import Opening
from hub.app.running_hub import make_broker
from hub.app.site_folder import SiteFolder
from hub.broker.move import Move
from hub.cli.output import AWAY, FOUND, AsJson, counted, fail, print_json, say
from hub.cli.site import HERE, SiteDir, checked_site, run
from hub.configuration.site import Site
from hub.core.errors import HubError

commands = typer.Typer(help="The broker: where messages wait.", no_args_is_help=True)


@commands.command()
def move(site: SiteDir = HERE, as_json: AsJson = False) -> None:
    """Publishes what the embedded broker's file still holds to the RabbitMQ of config/hub.yaml, with confirms.

    The hub must be stopped. What is interrupted is begun again. Example: hub broker move --site /srv/hub
    """
    checked = checked_site(site)
    if checked.site is None:
        fail(f"{len(checked.errors)} errors in the site: see hub check", FOUND)
    if checked.site.settings.broker == "embedded":
        fail("config/hub.yaml names the embedded broker: name the RabbitMQ to which the messages are to go (amqp: URL)")
    moved = run(work(SiteFolder(site), checked.site))
    if as_json:
        print_json({"moved": sum(moved.values()), "queues": moved})
        return
    for queue, count in moved.items():
        say(f"  {queue:40} {count}")
    say(f"{counted(sum(moved.values()), 'message')} moved" if moved else f"{BROKER_FILE} holds no message", "green")


async def work(folder: SiteFolder, site: Site) -> dict[str, int]:
    path = folder.resolve(BROKER_FILE)
    if not path.is_file():
        return {}
    broker = make_broker(folder, site.settings)
    try:
        await broker.open()
        declared = Opening(folder, broker, None).open(site).topology()
        return await Move(path, broker, declared).run()
    except HubError as error:
        fail(f"not all messages were moved: {error}", AWAY)
    finally:
        await broker.close()
