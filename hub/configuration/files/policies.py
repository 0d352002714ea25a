"""config/hub.yaml and config/policies.yaml."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.configuration.draft import Draft
from hub.configuration.files.models import AmqpBroker, ContainmentEntry, Hold, HubFile, RetryEntry
from hub.configuration.files.validation import validated
from hub.configuration.files.yaml_file import YamlFile, YamlNode
from hub.configuration.site import HoldConfig, Settings
from hub.core.errors import FilePlace
from hub.core.network.amqp_hosts import hosts_of
from hub.core.network.clear_text import credentials_in_the_clear, holds_password
from hub.core.network.client_network import is_loopback
from hub.core.options.containment import Containment
from hub.core.options.nearest import hint
from hub.core.options.size import parse_size
from hub.core.options.work import WorkBounds
from hub.core.retry import QUICK, RetryClass, parse_duration

JOURNALS = ("sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg")
"""Schemes of URLs that name a journal."""

POLICY_KEYS = ("retry", "holds")


def read_settings(draft: Draft, file: YamlFile) -> None:
    """config/hub.yaml."""
    if _is_empty(file.root):
        return
    model = validated(HubFile, file, file.root, draft.findings)
    if model is None:
        return
    url = model.broker.amqp if isinstance(model.broker, AmqpBroker) else model.amqp
    if model.amqp is not None and "broker" in file.root.entries:
        draft.findings.error(file.key_place(("amqp",)), "`broker` and `amqp` exclude each other")
    if url is not None and any(node.missing for node in file.root.walk()):
        url = None  # an error already: a variable is not set
    if url is not None and urlsplit(url).scheme not in ("amqp", "amqps"):
        path = ("amqp",) if model.amqp is not None else ("broker", "amqp")
        draft.findings.error(file.place(path), "should be an amqp:// or amqps:// URL")
    elif url is not None and not has_hosts(url):
        path = ("amqp",) if model.amqp is not None else ("broker", "amqp")
        text = "names no host, or a wrong list of hosts: amqp://user@one:5672,two:5672/vhost is expected"
        draft.findings.error(file.place(path), text)
    scheme = model.journal.partition("://")[0]
    if "://" in model.journal and scheme not in JOURNALS:
        told = "a path, sqlite:// or postgresql://"
        draft.findings.error(file.place(("journal",)), f"journal: {scheme}:// is not supported", told)
    host, _, port = model.console.listen.rpartition(":")
    if not is_loopback(host):
        place = file.place(("console", "listen"))
        text = f"health and metrics stand on {model.console.listen}, where nobody has to prove who it is"
        draft.findings.warning(
            place, text, "listen on 127.0.0.1, or let a firewall or proxy before it decide who reaches it"
        )
    if url is not None and holds_password(url):
        path = ("amqp",) if model.amqp is not None else ("broker", "amqp")
        for problem in credentials_in_the_clear("amqp", url, "the password travels"):
            draft.findings.warning(file.place(path), problem.text, problem.hint)
    draft.settings = Settings(
        broker="embedded" if url is None else "amqp",
        amqp=url,
        journal=model.journal,
        claims=model.claims,
        console_host=host.strip("[]"),
        console_port=int(port),
        work=WorkBounds(model.templates.steps, parse_size(model.templates.characters)),
        containment=containment_of(model.containment),
        hand_over=model.hand_over,
    )


def containment_of(entry: ContainmentEntry) -> Containment:
    return Containment(
        workers=entry.workers,
        per_source=entry.per_source,
        processor_time=parse_duration(entry.processor_time),
        per_megabyte=parse_duration(entry.processor_time_per_megabyte),
        wall_clock=parse_duration(entry.wall_clock),
        memory=parse_size(entry.memory),
        in_process_up_to=parse_size(entry.in_process_up_to),
        quarantine_after=entry.quarantine_after,
        poison_after=entry.poison_after,
    )


def read_policies(draft: Draft, file: YamlFile) -> None:
    """config/policies.yaml: retry classes and holds."""
    for name, _, place in draft.entries(file, file.root, file.name):
        if name not in POLICY_KEYS:
            draft.findings.error(place, f"unknown key {name!r}", hint(name, POLICY_KEYS))
    for section, read in (("retry", _read_retry), ("holds", _read_hold)):
        node = file.root.child(section)
        for name, value, place in draft.entries(file, node, section) if node else ():
            read(draft, file, name, value, place)


def _read_retry(draft: Draft, file: YamlFile, name: str, node: YamlNode, place: FilePlace) -> None:
    known = draft.declare("retry class", name, place)
    model = validated(RetryEntry, file, node, draft.findings)
    if known and model:
        within = parse_duration(model.within) if model.within else None
        draft.retry_classes[name] = RetryClass(name, tuple(map(parse_duration, model.delays)), model.on, within)


def _read_hold(draft: Draft, file: YamlFile, name: str, node: YamlNode, place: FilePlace) -> None:
    known = draft.declare("hold", name, place)
    model = validated(Hold, file, node, draft.findings)
    unsupported(
        draft, file, node, {"release_on": "release it with `hub hold release`", "recheck": "look at it by hand"}
    )
    if known and model:
        draft.holds[name] = HoldConfig(name, model.owner, place, parse_duration(model.sla) if model.sla else None)


def unsupported(draft: Draft, file: YamlFile, node: YamlNode, keys: dict[str, str]) -> None:
    """A polite error for what the design knows and this version doesn't do."""
    for key, instead in keys.items():
        if key in node.keys:
            draft.findings.error(file.place_of(node.keys[key]), f"`{key}` is not supported yet", instead)


def declare_built_in(draft: Draft) -> None:
    """The retry class that exists without being written; a site may write its own of that name."""
    draft.declared.setdefault("retry class", {}).setdefault(QUICK.name, FilePlace("built-in"))


def _is_empty(node: YamlNode) -> bool:
    return node.kind == "scalar" and node.value is None


def has_hosts(url: str) -> bool:
    """Whether it names nodes that can be connected to."""
    try:
        return bool(hosts_of(url))
    except ValueError:
        return False
