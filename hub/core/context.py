"""What the hub hands to the builder of a plug-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from hub.core.apart import Apart, apart_here
from hub.core.broker import Broker, BrokerLifecycle
from hub.core.clock import NO_CLOCK, Clock
from hub.core.errors import ConfigError
from hub.core.log import Log
from hub.core.message import empty
from hub.core.network.web import Repetitions
from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.core.outcome import Outcomes
from hub.core.partners import PartnerDirectory
from hub.core.ports import Memory
from hub.core.replies.replies import ReplyRule
from hub.core.replies.reply_body import ReplyBody, look_here
from hub.core.routing.facts import Fact
from hub.core.turns import Turns

E = TypeVar("E")

Look = Callable[[str, bytes, Iterable[str]], Awaitable[ReplyBody]]


class NotGiven:
    """Stands for what a Context does not have. Raises RuntimeError when a plug-in uses it."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {self._what} was given here: hand one to the Context")


def not_connected(url: str, name: str) -> BrokerLifecycle:
    raise RuntimeError("no way to another RabbitMQ was given here: hand `connect` to the Context")


NO_BROKER = cast(Broker, NotGiven("broker"))
NO_LOG = cast(Log, NotGiven("log"))
NO_MEMORY = cast(Memory, NotGiven("memory"))
NO_REPETITIONS = cast(Repetitions, NotGiven("record of repetitions"))
NO_OUTCOMES = cast(Outcomes, NotGiven("record of outcomes"))


@dataclass(frozen=True, slots=True)
class Context:
    """What a builder may use. Readers, writers and steps are pure: they use `text`, `partners`, `facts` and `work`.

    site         the site's folder; paths in options are relative to it
    broker       the hub's own broker
    endpoint     the built endpoint of that name; None in a worker process. See `endpoint_of`
    partners     the partners of the site
    text         (folder, name) -> the text of a template or schema of the site. Raises ConfigError
    log          the hub's log
    replies      the destination's compiled rules about replies
    memory       what the source of that name remembers across restarts
    spool        a folder of this machine for bodies that are on their way
    connect      (url, name) -> another RabbitMQ, not yet opened
    repetitions  what the source of that name has answered; `hub.core.network.web.SENDERS` is no source
    outcomes     what has become of what came in
    facts        the site's facts by name, for conditions
    limit        the limit of the endpoint of that name; None where it has none
    work         the bounds of what a template may do for one document
    look         (name, reply, paths) -> what stands at paths of a far end's reply, for the destination or step of that
                 name; in a worker process where that may take long. Raises TransientError
    apart        does pure work on foreign bytes in the same way
    clock        the hub's clock: sources, destinations and endpoints read the time and wait by it
    """

    site: Path
    broker: Broker = NO_BROKER
    endpoint: Callable[[str], object] = lambda name: None
    partners: PartnerDirectory = field(default_factory=PartnerDirectory)
    text: Callable[[str, str], str] = lambda folder, name: ""
    log: Log = NO_LOG
    replies: tuple[ReplyRule, ...] = ()
    memory: Callable[[str], Memory] = lambda name: NO_MEMORY
    spool: Path = Path()
    connect: Callable[[str, str], BrokerLifecycle] = not_connected
    repetitions: Callable[[str], Repetitions] = lambda name: NO_REPETITIONS
    outcomes: Outcomes = NO_OUTCOMES
    facts: Mapping[str, Fact] = field(default_factory=empty)
    limit: Callable[[str], Turns | None] = lambda name: None
    work: WorkBounds = DEFAULT_BOUNDS
    look: Look = look_here
    apart: Apart = apart_here
    clock: Clock = NO_CLOCK

    def endpoint_of(self, kind: type[E], name: str) -> E:
        """The built endpoint of that name. In a worker process, and where `hub check` builds a step on trial, something
        that raises RuntimeError when it is used: a step asks only in the hub itself. Raises ConfigError for an endpoint
        of another kind."""
        found = self.endpoint(name)
        if found is None:
            return cast(E, NotGiven(f"endpoint {name}"))
        if not isinstance(found, kind):
            raise ConfigError(f"endpoint {name} is {type(found).__name__}, {kind.__name__} is needed here")
        return found
