"""The file formats, apart from what plug-ins declare: one pydantic model for each kind of entry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.core.errors import TransientKind
from hub.core.options.duration import Duration, seconds
from hub.core.options.form import Form
from hub.core.options.size import Size, parse_size
from hub.core.replies.replies import STATUS_PATTERN
from hub.core.replies.reply_body import check_path
from hub.core.routing.facts import FACT_NAME, FactType

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$"
Name = Annotated[str, Form(NAME, "a name: 1 to 80 letters, digits, - and _, as in acme-orders")]
LONGEST_DELAY = 30 * 86400.0


class YamlModel(BaseModel):
    """The base of all models: unknown keys are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


# --- config/hub.yaml


class AmqpBroker(YamlModel):
    amqp: str = Field(
        description=(
            "URL of a RabbitMQ: amqp://user:${PASSWORD}@host/vhost; the nodes of a cluster as a list:"
            " @one:5672,two:5672/vhost"
        )
    )


class Console(YamlModel):
    listen: str = Field(
        "127.0.0.1:8025", description="host:port of metrics and health. Loopback unless told otherwise."
    )

    @field_validator("listen")
    @classmethod
    def host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or not 0 <= int(port[:6]) <= 65535:
            raise ValueError("should be host:port, as in 127.0.0.1:8025")
        return value


class Templates(YamlModel):
    """How much a template of the site may do for one document. A document for which it does more is dead."""

    steps: int = Field(
        2_000_000, ge=1000, le=1_000_000_000, description="Turns of loops, calls, and items that a filter looks at."
    )
    characters: Size = Field("64MB", description="Output, and every text that is made on the way to it.")


LEAST_MEMORY, MOST_IN_PROCESS = 16 * 1000**2, 1000**2
"""Bytes: less memory lets no worker read anything, and more in the hub's own process is no containment."""


class ContainmentEntry(YamlModel):
    """The bounds of the work on bytes that others have sent: reading, steps, schemas, templates, replies."""

    workers: int | None = Field(
        None, ge=1, le=256, description="Worker processes at most; by default one for each core, and at least 4."
    )
    per_source: int | None = Field(
        None,
        ge=1,
        description=(
            "Workers that one source or destination may use at once; by default half of them. The rest serve the"
            " others."
        ),
    )
    processor_time: Duration = Field(
        "10s", description="Processor time for one piece of work: an arrival that is read, a document that is written."
    )
    processor_time_per_megabyte: Duration = Field("20s", description="What is added for each megabyte of the body.")
    wall_clock: Duration = Field(
        "2m", description="How long the hub waits for a worker; it grows with the body as the processor time does."
    )
    memory: Size = Field("1GB", description="What a piece of work may use beyond what an idle worker does.")
    in_process_up_to: Size = Field(
        "64KB",
        description=(
            "Bodies up to this size are worked on in the hub's own process, where the plug-ins say that the work is"
            " small."
        ),
    )
    quarantine_after: int = Field(
        2, ge=1, le=100, description="An arrival over which so many workers were lost goes to the dead letters, whole."
    )
    poison_after: int = Field(
        3, ge=1, le=100, description="A copy during which so many hub processes died is dead, with the cause `poison`."
    )

    @field_validator("processor_time", "wall_clock")
    @classmethod
    def _is_some_time(cls, value: str) -> str:
        if seconds(value) < 0.1:
            raise ValueError("should be at least 100ms")
        return value

    @field_validator("memory")
    @classmethod
    def _is_room(cls, value: str) -> str:
        if parse_size(value) < LEAST_MEMORY:
            raise ValueError(f"{value!r} leaves no room for a piece of work; write at least 16MB")
        return value

    @field_validator("in_process_up_to")
    @classmethod
    def _is_small(cls, value: str) -> str:
        if parse_size(value) > MOST_IN_PROCESS:
            raise ValueError(
                f"{value!r} would hold up the whole hub while a body of this size is read; write at most 1MB"
            )
        return value

    @model_validator(mode="after")
    def _leaves_some(self) -> ContainmentEntry:
        if self.workers is not None and self.per_source is not None and self.per_source > self.workers:
            raise ValueError(f"per_source is {self.per_source}, more than the {self.workers} workers that there are")
        return self


class HubFile(YamlModel):
    """config/hub.yaml: where the hub keeps its things."""

    broker: Literal["embedded"] | AmqpBroker = Field("embedded", description="`embedded`, or {amqp: URL} for RabbitMQ.")
    amqp: str | None = Field(None, description="Short for broker: {amqp: URL}.")
    journal: str = Field("var/hub.db", description="A file of SQLite, or the URL of a PostgreSQL database.")
    claims: str = Field("var/claims", description="The folder of large bodies; all hosts must see it.")
    console: Console = Field(Console(listen="127.0.0.1:8025"), description="Metrics and health.")
    templates: Templates = Field(Templates(), description="Bounds of what a template may do for one document.")
    containment: ContainmentEntry = Field(
        ContainmentEntry(), description="Bounds of the work on bytes that others have sent."
    )
    hand_over: bool = Field(
        True,
        description=(
            "Whether small documents from exchanges go to a quick destination at once; `false`: all go through their"
            " route's queue."
        ),
    )


# --- config/policies.yaml


class RetryEntry(YamlModel):
    """A retry class: the delays between attempts, and the kinds of failure that it serves."""

    delays: tuple[Duration, ...] = Field(min_length=1, max_length=20, description="Pauses before the next attempt.")
    on: tuple[TransientKind, ...] = Field(min_length=1, description="Kinds of failure that are tried again.")
    within: Duration | None = Field(
        None,
        alias="for",
        description=(
            "How long a document may wait from its first failure on, time at an open breaker included; then it is dead."
            " Without it the delays alone decide, and a document waits as long as its endpoint is left alone."
        ),
    )

    @field_validator("delays")
    @classmethod
    def growing(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        delays = [seconds(delay) for delay in value]
        if delays != sorted(delays):
            raise ValueError("delays should grow from one to the next")
        if delays[0] <= 0 or delays[-1] > LONGEST_DELAY:
            raise ValueError("a delay should be longer than 0s and at most 30d")
        return value

    @field_validator("within")
    @classmethod
    def some_time(cls, value: str | None) -> str | None:
        if value is not None and seconds(value) <= 0:
            raise ValueError("`for` should be longer than 0s")
        return value


class Hold(YamlModel):
    """A business outcome that waits for a person."""

    owner: str = Field(min_length=1, description="Who decides.")
    sla: Duration | None = Field(None, description="How soon.")
    release_on: Any = Field(None, description="Not supported yet.", json_schema_extra={"deprecated": True})
    recheck: Any = Field(None, description="Not supported yet.", json_schema_extra={"deprecated": True})


# --- config/facts.yaml


class FactEntry(YamlModel):
    """A fact of the site, promoted from a document."""

    path: str | tuple[str, ...] = Field(
        alias="from",
        description=(
            "document.field.field, or a list of such paths, one for each kind of document; `arrival.name` for what a"
            " source gives under that name."
        ),
    )
    type: FactType = Field(description="text, number, integer, boolean or date.")
    default: Any = Field(None, description="The value where a document has none; without it the fact is optional.")


# --- config/destinations.yaml

Scalar = str | int | bool | None | float


class ReplyEntry(YamlModel):
    """What a reply means: the first entry that applies decides."""

    status: int | str | tuple[int | str, ...] = Field((), description='A status, several, or a class such as "4xx".')
    body: dict[str, Scalar] = Field(
        default_factory=dict, description="Path into the reply (a JSON pointer, of XML an XPath) to the value there."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Header to the value expected there.")
    fault: str | None = Field(
        None,
        min_length=1,
        description="A code of a SOAP fault, without its prefix: Client, Server, or one of the far end's own.",
    )
    hold: Name | None = Field(None, description="Keep it as this hold of config/policies.yaml.")
    delivered: Literal[True] | None = Field(None, description="It has been delivered.")
    retry: TransientKind | None = Field(None, description="Treat it as this kind of failure.")
    refuse: str | None = Field(None, min_length=1, description="A definite refusal, with this code.")

    @field_validator("status")
    @classmethod
    def statuses(cls, value: Any) -> Any:
        for status in value if isinstance(value, tuple) else (value,):
            if isinstance(status, int) and not 100 <= status <= 599:
                raise ValueError(f"{status} is no HTTP status")
            if isinstance(status, str) and not STATUS_PATTERN.fullmatch(status):
                raise ValueError(f"{status!r} should be a number, or a class such as 4xx")
        return value

    @field_validator("body")
    @classmethod
    def paths(cls, value: dict[str, Any]) -> dict[str, Any]:
        for path in value:
            check_path(path)
        return value

    @model_validator(mode="after")
    def one_outcome(self) -> ReplyEntry:
        if sum(outcome is not None for outcome in (self.hold, self.delivered, self.retry, self.refuse)) != 1:
            raise ValueError("a reply needs exactly one of hold, delivered, retry, refuse")
        return self


# --- routes/*.yaml


class SendTo(YamlModel):
    """A destination with a guard."""

    send: Name = Field(description="The destination.")
    only_if: str | None = Field(None, alias="if", description="CEL over facts: only if this holds.")
    unless: str | None = Field(None, description="CEL over facts: only if this doesn't hold.")


Value = str | int | float | bool


class Gather(YamlModel):
    """Documents of one kind that go to a destination together, in one message."""

    by: tuple[str, ...] = Field((), description="Facts in which all documents of a message are equal.")
    max: int = Field(ge=2, le=1000, description="How many documents go together at most: then it goes at once.")
    within: Duration = Field(description="How long a document waits for others at most.")

    @field_validator("within")
    @classmethod
    def bounded(cls, value: str) -> str:
        if not 0 < seconds(value) <= LONGEST_DELAY:
            raise ValueError("should be longer than 0s and at most 30d")
        return value


class RouteEntry(YamlModel):
    """A condition over facts, and the destinations that a matching document goes to."""

    id: Name = Field(description="The route's name; its queue is hub.route.<id>.")
    owner: str | None = Field(None, min_length=1, description="Who answers for it, where not the file's owner.")
    when: dict[str, Value | tuple[Value, ...]] = Field(
        default_factory=dict, description="Fact to value, or to a list of values."
    )
    test: bool | None = Field(None, description="true: takes test traffic, and only that.")
    once: tuple[str, ...] = Field((), description="Facts that together name a document that may go only once.")
    to: tuple[Name | SendTo, ...] = Field(min_length=1, description="Destinations.")
    otherwise: Literal["drop"] | None = Field(
        None, alias="else", description="drop: a document that passes no guard is dropped on purpose."
    )
    sequence: Any = Field(None, description="Not supported yet.", json_schema_extra={"deprecated": True})

    @field_validator("when")
    @classmethod
    def fact_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, wanted in value.items():
            if not FACT_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a fact")
            if wanted == ():
                raise ValueError(f"{name}: the list is empty, nothing can match")
        return value


ROUTES_FILE_KEYS = ("format", "owner", "sources", "destinations", "routes")
DESTINATION_KEYS = ("write", "retry", "replies", "capture", "read", "answer", "steps", "gather")
SOURCE_KEYS = ("read", "unpack", "steps")
UNPACK = ("gzip", "zip", "mime", "auto")
"""What `unpack` of a source may say."""
