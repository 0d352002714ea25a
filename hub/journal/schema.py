"""The journal's tables. Times are seconds since the epoch (UTC, float); ids and digests are hex text."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from hub.core.effect import OPEN

metadata = sa.MetaData()


def listed(words: Iterable[str]) -> str:
    """Words of ours as an SQL list, in the order of the alphabet."""
    return "(" + ", ".join(f"'{word}'" for word in sorted(words)) + ")"


UNASSIGNED = "unassigned"
"""The owner of what nobody answers for: its route or source is not in the site any more."""

claim = sa.Table(
    "claim",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the body"),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, comment="null: the body stands as a file in the claim store"),
    sa.Column("created_at", sa.Double, nullable=False),
)

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, comment="what it was called where it came from"),
    sa.Column("claim", sa.String(64), nullable=False, comment="the bytes that came in"),
    sa.Column(
        "position", sa.Text, nullable=False, comment="where in the claim: 1.1.2; empty for a body that is one document"
    ),
    sa.Column("document", sa.Text, comment="order@1"),
    sa.Column("canonical", sa.String(64), comment="claim of the canonical form"),
    sa.Column("partner", sa.Text),
    sa.Column("number", sa.Text),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("direction", sa.Text, comment="outbound: an answer of ours to what came in; null: it came in"),
    sa.Column("terms", sa.Text, comment="JSON: what its source knew beside the bytes; null: not recorded"),
    sa.Index("message_by_claim", "claim"),
    sa.Index("message_by_received", "received_at"),
    sa.Index("message_by_name", "name"),
)

business_key = sa.Table(
    "business_key",
    metadata,
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("message_id", sa.String(64), primary_key=True),
    sa.Index("business_key_by_message", "message_id"),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("message_id", sa.String(64), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("stage", sa.Text, nullable=False, comment="received read matched unmatched sent retry held dead ..."),
    sa.Column("route", sa.Text),
    sa.Column("destination", sa.Text),
    sa.Column("attempt", sa.Integer),
    sa.Column("text", sa.Text),
    sa.Column("detail", sa.Text, comment="JSON"),
    sa.Index("event_by_message", "message_id", "at"),
)

_OPEN = sa.text(f"status IN {listed(OPEN)}")

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("destination", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("key", sa.String(64), nullable=False, comment="idempotency key"),
    sa.Column("claim", sa.String(64), comment="the bytes that every attempt sends"),
    sa.Column("content_type", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("reply", sa.String(64), comment="claim of the far end's reply"),
    sa.Column("first_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("claimed_by", sa.String(32), comment="the process that is sending it now"),
    sa.Column("facts", sa.Text, comment="JSON: what the bytes are called by, beside the document's facts"),
    sa.Column("expect_ack", sa.Double, comment="seconds within which the partner is to acknowledge the bytes"),
    sa.Column("reply_type", sa.Text, comment="content type of the reply"),
    sa.Column("address", sa.Text, comment="file name, routing key or path of every attempt"),
    sa.Column("mark", sa.Text, comment="what the adapter noted before a step that can't be undone"),
    sa.Index("effect_open", "updated_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sa.Index("effect_by_key", "key"),
)

once_key = sa.Table(
    "once_key",
    metadata,
    sa.Column("route", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False, comment="the message that holds the key"),
    sa.Column("status", sa.Text, nullable=False, comment="pending, done or freed"),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Index("once_key_by_owner", "owner"),
)

# Of what was `unconfirmed` the status may also be: delivered.
hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("document_id", sa.String(64), nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("due_at", sa.Double),
    sa.Column("status", sa.Text, nullable=False, comment="open, releasing, released or rejected"),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("partner", sa.Text),
    sa.Column("number", sa.Text),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON"),
    sa.Column("body", sa.String(64), nullable=False, comment="claim"),
    sa.Column("held_at", sa.Double, nullable=False),
    sa.Column("decided_at", sa.Double),
    sa.Column("decided_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Index("hold_by_status", "status", "held_at"),
)

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("message_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="route, source or unmatched"),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("route", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("destinations", sa.Text, nullable=False, comment="the open ones, comma-separated"),
    sa.Column("partner", sa.Text),
    sa.Column("number", sa.Text),
    sa.Column("error", sa.Text, nullable=False, comment="class of the error"),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON"),
    sa.Column("body", sa.String(64), nullable=False, comment="claim"),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, comment="dead, replaying, replayed or discarded"),
    sa.Column("parent", sa.String(64), comment="the dead letter whose replay this was"),
    sa.Column("dead_at", sa.Double, nullable=False),
    sa.Column("decided_at", sa.Double),
    sa.Column("decided_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("owner", sa.Text, nullable=False, server_default=UNASSIGNED, comment="who is to look at it"),
    sa.Index("dead_letter_by_status", "status", "dead_at"),
    sa.Index("dead_letter_by_message", "message_id"),
    sa.Index("dead_letter_by_parent", "parent"),
)

command = sa.Table(
    "command",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("arguments", sa.Text, nullable=False, comment="JSON"),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, comment="pending, running, done or failed"),
    sa.Column("result", sa.Text, comment="JSON"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("done_at", sa.Double),
    sa.Column("taken_by", sa.String(32)),
    sa.Index("command_by_status", "status", "created_at"),
)

process = sa.Table(
    "process",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("heartbeat_at", sa.Double, nullable=False),
    sa.Column("table_version", sa.Text),
    sa.Column("listen", sa.Text),
)

declared_queue = sa.Table(
    "declared_queue",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("route", sa.Text),
    sa.Column("declared_at", sa.Double, nullable=False),
)

control_counter = sa.Table(
    "control_counter",
    metadata,
    sa.Column("partner", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False, comment="the last control number taken for the partner"),
)

interchange_sent = sa.Table(
    "interchange_sent",
    metadata,
    sa.Column("partner", sa.Text, primary_key=True),
    sa.Column("control_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document_id", sa.String(64), nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON: the copy that it was made from, without its body"),
    sa.Column("body", sa.String(64), nullable=False, comment="claim of the canonical form"),
    sa.Column("transaction_set", sa.Text),
    sa.Column("taken_at", sa.Double, nullable=False),
    sa.Column("sent_at", sa.Double),
    sa.Column("ack_due_at", sa.Double),
    sa.Column(
        "ack", sa.Text, nullable=False, comment="none, awaiting, accepted, accepted_with_errors, rejected or overdue"
    ),
    sa.Column("ack_at", sa.Double),
    sa.Column("ack_message", sa.String(64), comment="the message that acknowledged it"),
    sa.Column("ack_text", sa.Text),
    sa.Index("interchange_sent_once", "partner", "document_id", "destination", "generation", unique=True),
    sa.Index("interchange_sent_by_document", "document_id", "destination"),
    sa.Index("interchange_sent_by_due", "ack", "ack_due_at"),
)

interchange_received = sa.Table(
    "interchange_received",
    metadata,
    sa.Column("partner", sa.Text, primary_key=True),
    sa.Column("control_number", sa.Text, primary_key=True),
    sa.Column("claim", sa.String(64), primary_key=True),
    sa.Column("position", sa.Text, nullable=False, comment="of the interchange in the claim"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("duplicate", sa.Boolean, nullable=False, comment="refused, because another claim had taken the number"),
)

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="derived from the members; also the id of its message"),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False, comment="invoice@1: the kind of its members"),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("closed_at", sa.Double, nullable=False),
    sa.Column("taken_by", sa.String(32), nullable=False, comment="the process that publishes it"),
    sa.Column("published_at", sa.Double, comment="null: not yet confirmed by the broker"),
    sa.Index("batch_by_published", "published_at"),
)

batch_member = sa.Table(
    "batch_member",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("destination", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column(
        "gathered", sa.Text, nullable=False, server_default="", comment="JSON: facts that its batch has in common"
    ),
    sa.Column("document", sa.Text, nullable=False, comment="invoice@1"),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON: its copy, without the body"),
    sa.Column("body", sa.String(64), nullable=False, comment="claim of the canonical form"),
    sa.Column("added_at", sa.Double, nullable=False),
    sa.Column("batch", sa.String(64), comment="null: it waits"),
    sa.Column("position", sa.Integer, comment="of its transaction in the interchange, from 1 (ST02)"),
    sa.Column("ack", sa.Text, nullable=False, comment="none, accepted, accepted_with_errors or rejected"),
    sa.Column("ack_message", sa.String(64), comment="the message that acknowledged it"),
    sa.Index("batch_member_waiting", "batch", "destination", "document", "test", "added_at"),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="source:acme-inbox"),
    sa.Column("holder", sa.String(32), nullable=False, comment="the process that has it"),
    sa.Column("until", sa.Double, nullable=False, comment="by the database's clock"),
    sa.Column("taken_at", sa.Double, nullable=False),
)

memory = sa.Table(
    "memory",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True, comment="the source that remembers"),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
)

repetition = sa.Table(
    "repetition",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True, comment="the source that was asked"),
    sa.Column("key", sa.Text, primary_key=True, comment="by which the request may be repeated, or may not"),
    sa.Column("fingerprint", sa.Text, nullable=False, comment="of what was asked"),
    sa.Column("taken_by", sa.String(32), nullable=False, comment="the process that does the work"),
    sa.Column("taken_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("status", sa.Integer, comment="of the answer; null: still in work"),
    sa.Column("content_type", sa.Text),
    sa.Column("headers", sa.Text, comment="JSON"),
    sa.Column("body", sa.LargeBinary),
    sa.Index("repetition_by_expiry", "expires_at"),
)

suspect = sa.Table(
    "suspect",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="source:claim:identity of an arrival, or a copy"),
    sa.Column("losses", sa.Integer, nullable=False, comment="how often a worker, or a process, was lost over it"),
    sa.Column("cause", sa.Text, nullable=False, comment="how it ended the last time"),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("begun_by", sa.String(32), comment="the process that works on the copy"),
    sa.Column("begun_at", sa.Double, comment="when it began, by the clock of the database"),
    sa.Column("late", sa.Integer, nullable=False, server_default="0", comment="processes that died while it waited"),
)

waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("document_id", sa.String(64), nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("destinations", sa.Text, nullable=False, comment="the open ones, comma-separated"),
    sa.Column("reason", sa.Text, nullable=False, comment="once, endpoint, process or retry_after"),
    sa.Column("waits_for", sa.Text, nullable=False, comment="the once-key, or the name of what is waited for"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("partner", sa.Text),
    sa.Column("number", sa.Text),
    sa.Column("headers", sa.Text, nullable=False, comment="JSON: the copy, without its body"),
    sa.Column("body", sa.String(64), nullable=False, comment="claim of the canonical form"),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False, comment="woken then, whatever happens"),
    sa.Column("process", sa.String(32), nullable=False, comment="whose breaker it waits for"),
    sa.Column("taken_by", sa.String(32), comment="the process that publishes it now"),
    sa.Column("taken_at", sa.Double),
    sa.Index("waiting_by_reason", "reason", "waits_for", "since"),
    sa.Index("waiting_by_due", "due_at"),
    sa.Index("waiting_by_document", "document_id"),
)
