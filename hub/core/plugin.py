"""What a plug-in declares, once, in its own module: a declaration of its kind as `PLUGIN`, or several as `PLUGINS`.

The checker, the JSON Schema, the reference pages and the runtime read these declarations. There is one class for each
kind: EndpointPlugin, SourcePlugin and DestinationPlugin for adapters, ReaderPlugin, WriterPlugin and StepPlugin for
transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from hub.core.agreement import Agreement
from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.ports import Destination, Reader, Source, Writer
from hub.core.step import AskingStep, Step

if TYPE_CHECKING:
    from pathlib import Path

LINEAR = 256_000
"""For `bounded`: work that takes time and memory in proportion to the body takes little for so many bytes."""

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


T = TypeVar("T", bound=Options)

OnEndpoint = tuple[str, str]
"""The field that names an endpoint, and the name of the endpoint plug-in that it must be of."""


@dataclass(frozen=True, kw_only=True)
class Plugin(Generic[T]):
    """What every declaration says. Declare the class of your kind; this one is their base.

    name       the key in YAML: `file` in `acme-inbox: {file: {...}}`
    options    the options model; every field described
    summary    one sentence, for the reference
    example    YAML text of the options as a site would write them; the tests load it
    build      (name, options, context) -> what the kind is for
    shorthand  the field that a bare value sets: `{template: a.j2}` means `{template: {template: a.j2}}`
    files      names the fields whose values are files of the site, with the folder (relative to the site) they stand in
    found_in   the module, or `module:attribute`, that declares it; set when it is found
    """

    kind: ClassVar[PluginKind]

    name: str
    options: type[T]
    summary: str
    example: str
    build: Callable[[str, T, Context], object]
    shorthand: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    found_in: str = ""

    def __post_init__(self) -> None:
        """Raises ConfigError for a declaration that nobody could use."""
        if not hasattr(self, "kind"):
            raise ConfigError(f"{self.name!r} declares {type(self).__name__}; expected one of {declarations()}")
        if not (isinstance(self.options, type) and issubclass(self.options, Options)):
            wanted = "a subclass of hub.core.plugin.Options"
            raise ConfigError(f"the {self.kind} {self.name!r}: `options` should be {wanted}, not {self.options!r}")
        if not callable(self.build):
            wanted = "a function of name, options and context"
            raise ConfigError(f"the {self.kind} {self.name!r}: `build` should be {wanted}, not {self.build!r}")
        for field_name in named_fields(self):
            declared = isinstance(getattr(self.options, field_name, None), property)
            if field_name not in self.options.model_fields and not declared:
                text = f"the {self.kind} {self.name!r} names {field_name!r}, which {self.options.__name__} doesn't have"
                raise ConfigError(text, hint=f"its fields are {', '.join(self.options.model_fields) or 'none'}")


@dataclass(frozen=True, kw_only=True)
class AdapterPlugin(Plugin[T]):
    """An endpoint, a source or a destination.

    inspect    what is wrong with what stands in its files, given the options, those of the endpoint that they name (or
               None), and the site's folder; asked when the files are there
    """

    inspect: Callable[[T, Any, Path], Iterable[Problem]] | None = None


@dataclass(frozen=True, kw_only=True)
class EndpointPlugin(AdapterPlugin[T]):
    """A connection that sources, destinations and steps share.

    build        gives an object of its own. `close()` ends it, where it has one
    concurrent   how many sends may be under way there at once, where the site sets no limit
    descriptors  of what listens: how many file descriptors its connections may take at once
    """

    kind = "endpoint"

    concurrent: Callable[[T], int] = lambda options: SENDS_AT_ONCE
    descriptors: Callable[[T], int] = lambda options: 0


@dataclass(frozen=True, kw_only=True)
class SourcePlugin(AdapterPlugin[T]):
    """A place from which documents come.

    endpoint     which field names an endpoint, and of which endpoint plug-in it must be
    on_endpoint  what is wrong with the options on an endpoint with those options
    partners     fields whose values are names of partners
    senders      names of partners that the options give to those who may send
    places       what it takes of its endpoint for itself alone, a method and path of a listener: `POST /orders`
    waits        whether it waits for the answer of a destination, the one that says `answer: true`
    shared_folders  folders of this machine, relative to the site, that others write to: the hub leaves their modes
                 alone
    keeps        files and folders, relative to the site, that a backup takes along: what it has promised and the
                 journal doesn't know yet, its keys
    descriptors  of what listens: how many file descriptors its connections may take at once
    """

    kind = "source"

    build: Callable[[str, T, Context], Source]
    endpoint: OnEndpoint | None = None
    on_endpoint: Callable[[T, Any], Iterable[Problem]] | None = None
    partners: tuple[str, ...] = ()
    senders: Callable[[T], Iterable[str]] = lambda options: ()
    places: Callable[[T], Iterable[str]] = lambda options: ()
    waits: Callable[[T], bool] = lambda options: False
    shared_folders: Callable[[T], Iterable[str]] = lambda options: ()
    keeps: Callable[[T], Iterable[str]] = lambda options: ()
    descriptors: Callable[[T], int] = lambda options: 0


@dataclass(frozen=True, kw_only=True)
class DestinationPlugin(AdapterPlugin[T]):
    """A place to which documents go.

    endpoint     which field names an endpoint, and of which endpoint plug-in it must be
    fact_templates  fields in which `{fact}` is substituted; the checker verifies the fact names
    concurrent   without an endpoint: how many sends may be under way at once
    shared_folders  folders of this machine, relative to the site, that others read from: the hub leaves their modes
                 alone
    """

    kind = "destination"

    build: Callable[[str, T, Context], Destination]
    endpoint: OnEndpoint | None = None
    fact_templates: tuple[str, ...] = ()
    concurrent: Callable[[T], int] = lambda options: SENDS_AT_ONCE
    shared_folders: Callable[[T], Iterable[str]] = lambda options: ()


@dataclass(frozen=True, kw_only=True)
class TransformerPlugin(Plugin[T]):
    """A reader, a writer or a step.

    partners   fields whose values are names of partners; a writer with such a field writes by that partner's agreement
    bounded    up to how many bytes of a body its work is small, whatever is in them; 0: never. The hub does such work
               itself, all other in worker processes
    """

    partners: tuple[str, ...] = ()
    bounded: Callable[[T], int] = lambda options: 0


@dataclass(frozen=True, kw_only=True)
class ReaderPlugin(TransformerPlugin[T]):
    """Bytes to documents.

    documents  the documents it can yield ("order", "ship_notice", ...); empty: any
    agreement  what is wrong with a partner's agreement, where it reads by agreements
    """

    kind = "reader"

    build: Callable[[str, T, Context], Reader]
    documents: Callable[[T], tuple[str, ...]] = lambda options: ()
    agreement: Callable[[Agreement], Iterable[Problem]] | None = None


@dataclass(frozen=True, kw_only=True)
class WriterPlugin(TransformerPlugin[T]):
    """A document to bytes."""

    kind = "writer"

    build: Callable[[str, T, Context], Writer]


@dataclass(frozen=True, kw_only=True)
class StepPlugin(TransformerPlugin[T]):
    """A document to a document.

    documents  what it makes of any document; empty: what it was
    place      the only place where it may stand; None: at sources and destinations
    conditions  fields whose values are CEL over facts; the checker compiles them
    holds      fields whose values are names of holds
    keeps_number  of a step that splits documents: whether the parts keep the number of the whole; None: it doesn't
               split
    endpoint   of a step that asks: which field names an endpoint, and of which endpoint plug-in it must be. While that
               field has a value, `build` gives an AskingStep
    fact_templates  fields in which `{fact}` is substituted; the checker verifies the fact names
    own_names  names that the options make themselves: they may stand in `fact_templates` beside the facts
    """

    kind = "step"

    build: Callable[[str, T, Context], Step | AskingStep]
    documents: Callable[[T], tuple[str, ...]] = lambda options: ()
    place: Literal["source", "destination"] | None = None
    conditions: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    keeps_number: Callable[[T], bool] | None = None
    endpoint: OnEndpoint | None = None
    fact_templates: tuple[str, ...] = ()
    own_names: Callable[[T], Iterable[str]] = lambda options: ()


KINDS: Mapping[PluginKind, type[Plugin[Any]]] = {
    made.kind: made
    for made in (SourcePlugin, DestinationPlugin, EndpointPlugin, ReaderPlugin, WriterPlugin, StepPlugin)
}


def endpoint_field(plugin: Plugin[Any]) -> OnEndpoint | None:
    """Where the options name an endpoint, and of which plug-in it must be."""
    return plugin.endpoint if isinstance(plugin, SourcePlugin | DestinationPlugin | StepPlugin) else None


def named_fields(plugin: Plugin[Any]) -> tuple[str, ...]:
    """The fields of its options that a declaration names."""
    named = [*plugin.files]
    if plugin.shorthand is not None:
        named.append(plugin.shorthand)
    if isinstance(plugin, SourcePlugin | TransformerPlugin):
        named.extend(plugin.partners)
    if isinstance(plugin, DestinationPlugin | StepPlugin):
        named.extend(plugin.fact_templates)
    if isinstance(plugin, StepPlugin):
        named.extend((*plugin.conditions, *plugin.holds))
    endpoint = endpoint_field(plugin)
    return (*named, endpoint[0]) if endpoint is not None else tuple(named)


def declarations() -> str:
    """The classes that a module may declare, for people."""
    return ", ".join(made.__name__ for made in KINDS.values())
