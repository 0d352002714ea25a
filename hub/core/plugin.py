"""How an adapter or a transformer is declared: once, in its own module, as a `PLUGIN` (or several, as `PLUGINS`).

The checker, the JSON Schema, the reference pages and the runtime all read that one declaration.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, JsonValue

from hub.core.agreement import Agreement
from hub.core.apart import Apart, apart_here
from hub.core.clock import NO_CLOCK, Clock
from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.core.replies.reply_body import ReplyBody, look_here

LINEAR = 256_000
"""For `bounded`: work that takes time and memory in proportion to the body takes little for so many bytes."""

Look = Callable[[str, bytes, Iterable[str]], Awaitable[ReplyBody]]

PluginKind = Literal["source", "destination", "endpoint", "reader", "writer", "step"]


class Options(BaseModel):
    """The base of every options model: unknown keys are refused, values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


WRITE_ONLY = "writeOnly"
"""What JSON Schema calls a value that goes in and is never shown."""

SECRET: dict[str, JsonValue] = {WRITE_ONLY: True}
NO_SECRET: dict[str, JsonValue] = {WRITE_ONLY: False}
"""For `Field(json_schema_extra=...)` of an option: that it is a secret, which the checker takes by reference alone; or
that it is none, though its name sounds like one."""


FORMAT = "format"
FILE: dict[str, JsonValue] = {FORMAT: "file-path"}
"""For `json_schema_extra` of an option that names a file which must be there: a key, a certificate. The checker looks
for it."""


SENDS_AT_ONCE = 100
"""How many sends are under way at once at a far end of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an agreement, as the transformer sees it that serves it. `path` leads to it in the partner's
    file: `("x12", "receive", 2)`."""

    path: tuple[str | int, ...]
    text: str
    hint: str | None = None
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Plugin:
    """One declaration.

    name       the key in YAML: `file` in `acme-inbox: {file: {...}}`
    kind       source, destination, endpoint, reader, writer or step
    options    the options model; every field described
    summary    one sentence, for the reference
    example    YAML text of the options as a site would write them; the tests load it
    build      (name, options, context) -> Source, Destination, Reader, Writer, Step or an endpoint's own object. The
               context is `hub.core.plugin.Context`.
    shorthand  the field that a bare value sets: `{template: a.j2}` means `{template: {template: a.j2}}`
    files      names the fields whose values are files of the site, with the folder (relative to the site) they stand in
    endpoint   the field that names an endpoint, and the endpoint plug-in it must be of
    fact_templates  fields in which `{fact}` is substituted; the checker verifies the fact names
    documents  for a reader: the documents it can yield, given its options ("order", "ship_notice", ...), empty: any;
               for a step: what it makes of any document, empty: what it was
    partners   fields whose values are names of partners; a writer with such a field writes by that partner's agreement
    senders    names of partners that the options of a source give to those who may send
    agreement  what is wrong with a partner's agreement, for a transformer that reads or writes by agreements
    on_endpoint  what is wrong with the options of a source on an endpoint with those options
    inspect    what is wrong with what stands in its files, given the options, those of the endpoint that they name (or
               None), and the site's folder; asked when the files are there
    places     what a source takes of its endpoint for itself alone, a method and path of a listener: `POST /orders`
    conditions  fields whose values are CEL over facts; the checker compiles them
    waits      whether a source waits for the answer of a destination, the one that says `answer: true`
    holds      fields whose values are names of holds
    own_names  names that the options make themselves: they may stand in `fact_templates` beside the facts
    place      of a step: the only place where it may stand; None: at sources and destinations
    keeps_number  of a step that splits documents: whether the parts keep the number of the whole; None: it doesn't
               split
    asks       of a step: whether its answer may differ when it is asked again
    shared_folders  folders of this machine, relative to the site, that others write to or read from: the hub leaves
               their modes alone
    keeps      of a source: files and folders, relative to the site, that a backup takes along: what it has promised and
               the journal doesn't know yet, its keys
    concurrent  of an endpoint, or of a destination without one: how many sends may be under way there at once, where
               the site sets no limit
    descriptors  of what listens: how many file descriptors its connections may take at once
    bounded    of a reader, writer or step: up to how many bytes of a body its work is small, whatever is in them; 0:
               never. The hub does such work itself, all other in worker processes
    found_in   the module, or `module:attribute`, that declares it; set when it is found
    """

    name: str
    kind: PluginKind
    options: type[Options]
    summary: str
    example: str
    build: Callable[[str, Any, Context], Any]
    shorthand: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    endpoint: tuple[str, str] | None = None
    fact_templates: tuple[str, ...] = ()
    documents: Callable[[Any], tuple[str, ...]] = lambda options: ()
    partners: tuple[str, ...] = ()
    senders: Callable[[Any], Iterable[str]] = lambda options: ()
    agreement: Callable[[Agreement], Iterable[Problem]] | None = None
    on_endpoint: Callable[[Any, Any], Iterable[Problem]] | None = None
    inspect: Callable[[Any, Any, Any], Iterable[Problem]] | None = None
    places: Callable[[Any], Iterable[str]] = lambda options: ()
    waits: Callable[[Any], bool] = lambda options: False
    conditions: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    own_names: Callable[[Any], Iterable[str]] = lambda options: ()
    place: Literal["source", "destination"] | None = None
    keeps_number: Callable[[Any], bool] | None = None
    asks: Callable[[Any], bool] = lambda options: False
    shared_folders: Callable[[Any], Iterable[str]] = lambda options: ()
    keeps: Callable[[Any], Iterable[str]] = lambda options: ()
    concurrent: Callable[[Any], int] = lambda options: SENDS_AT_ONCE
    descriptors: Callable[[Any], int] = lambda options: 0
    bounded: Callable[[Any], int] = lambda options: 0
    found_in: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a builder may use. `site` is the site's folder (paths in options are relative to it). `endpoint(name)` is
    the built endpoint. `partners` is the partner directory. `broker` is the hub's own broker. `text(folder, name)`
    reads a template or schema of the site, so that pure transformers need no disk. `replies` are the destination's
    compiled reply rules (`hub.core.replies.replies.ReplyRule`). `memory(name)` is what the source of that name
    remembers (`hub.core.ports.Memory`). `connect(url, name)` is another RabbitMQ, not yet opened
    (`hub.core.broker.BrokerLifecycle`). `spool` is a folder of this machine for bodies that are on their way. `facts`
    are the site's, by name, for conditions. `repetitions(name)` is what the source of that name has answered
    (`hub.core.network.web.Repetitions`; `SENDERS` is no source), `outcomes` what has become of what came in
    (`hub.core.outcome.Outcomes`). `limit(name)` is the limit of the endpoint of that name, whose `turn()` a question
    waits for; None where it has none. `work` bounds what a template may do for one document. `look(name, reply, paths)`
    finds what stands at paths of a far end's reply, for the destination or step of that name, in a worker process where
    that may take long. Raises TransientError. `apart` does pure work on foreign bytes in the same way
    (`hub.core.apart.Apart`). `clock` is the hub's: sources, destinations and endpoints read the time and wait by it
    (`hub.core.clock.Clock`). Readers, writers and steps have none.
    """

    site: Any
    broker: Any = None
    endpoint: Callable[[str], Any] = lambda name: None
    partners: Any = None
    text: Callable[[str, str], str] = lambda folder, name: ""
    log: Any = None
    replies: tuple[Any, ...] = ()
    memory: Callable[[str], Any] = lambda name: None
    spool: Any = None
    connect: Callable[[str, str], Any] = lambda url, name: None
    repetitions: Callable[[str], Any] = lambda name: None
    outcomes: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    limit: Callable[[str], Any] = lambda name: None
    work: WorkBounds = DEFAULT_BOUNDS
    look: Look = look_here
    apart: Apart = apart_here
    clock: Clock = NO_CLOCK


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plug-ins that this installation has, by kind and name."""

    by_kind: Mapping[str, Mapping[str, Plugin]]

    @classmethod
    def of(cls, plugins: Iterable[Plugin]) -> Plugins:
        table: dict[str, dict[str, Plugin]] = {k: {} for k in get_args(PluginKind)}
        for plugin in plugins:
            if plugin.name in table[plugin.kind]:
                raise ValueError(f"two plug-ins are called {plugin.kind} {plugin.name!r}")
            table[plugin.kind][plugin.name] = plugin
        return cls(table)

    def find(self, kind: PluginKind, name: str) -> Plugin | None:
        return self.by_kind[kind].get(name)

    def names(self, kind: PluginKind) -> tuple[str, ...]:
        return tuple(sorted(self.by_kind[kind]))


def declared(thing: object) -> tuple[Plugin, ...]:
    """The declarations of a module (PLUGIN or PLUGINS), or a declaration itself."""
    if isinstance(thing, Plugin):
        return (thing,)
    one, many = getattr(thing, "PLUGIN", None), getattr(thing, "PLUGINS", ())
    return (one,) if isinstance(one, Plugin) else tuple(many)
