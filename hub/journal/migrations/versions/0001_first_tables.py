"""The journal's first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "business_key",
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("value", "kind", "message_id"),
    )
    with op.batch_alter_table("business_key", schema=None) as batch_op:
        batch_op.create_index("business_key_by_message", ["message_id"], unique=False)

    op.create_table(
        "claim",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the body"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=True, comment="null: the body stands as a file in the claim store"
        ),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="pending, running, done or failed"),
        sa.Column("result", sa.Text(), nullable=True, comment="JSON"),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.Column("taken_by", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.create_index("command_by_status", ["status", "created_at"], unique=False)

    op.create_table(
        "dead_letter",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="route, source or unmatched"),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("destinations", sa.Text(), nullable=False, comment="the open ones, comma-separated"),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False, comment="class of the error"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("body", sa.String(length=64), nullable=False, comment="claim"),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="dead, replaying, replayed or discarded"),
        sa.Column("parent", sa.String(length=64), nullable=True, comment="the dead letter whose replay this was"),
        sa.Column("dead_at", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index("dead_letter_by_message", ["message_id"], unique=False)
        batch_op.create_index("dead_letter_by_parent", ["parent"], unique=False)
        batch_op.create_index("dead_letter_by_status", ["status", "dead_at"], unique=False)

    op.create_table(
        "declared_queue",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "effect",
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False, comment="idempotency key"),
        sa.Column("claim", sa.String(length=64), nullable=True, comment="the bytes that every attempt sends"),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("reply", sa.String(length=64), nullable=True, comment="claim of the far end's reply"),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("claimed_by", sa.String(length=32), nullable=True, comment="the process that is sending it now"),
        sa.PrimaryKeyConstraint("document_id", "destination"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column(
            "stage", sa.Text(), nullable=False, comment="received read matched unmatched sent retry held dead ..."
        ),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True, comment="JSON"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("event_by_message", ["message_id", "at"], unique=False)

    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False, comment="open, releasing, released or rejected"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("body", sa.String(length=64), nullable=False, comment="claim"),
        sa.Column("held_at", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index("hold_by_status", ["status", "held_at"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what it was called where it came from"),
        sa.Column("claim", sa.String(length=64), nullable=False, comment="the bytes that came in"),
        sa.Column(
            "position",
            sa.Text(),
            nullable=False,
            comment="where in the claim: 1.1.2; empty for a body that is one document",
        ),
        sa.Column("document", sa.Text(), nullable=True, comment="order@1"),
        sa.Column("canonical", sa.String(length=64), nullable=True, comment="claim of the canonical form"),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("message_by_claim", ["claim"], unique=False)
        batch_op.create_index("message_by_received", ["received_at"], unique=False)
        batch_op.create_index("message_by_name", ["name"], unique=False)

    op.create_table(
        "once_key",
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False, comment="the message that holds the key"),
        sa.Column("status", sa.Text(), nullable=False, comment="pending, done or freed"),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("route", "value"),
    )
    with op.batch_alter_table("once_key", schema=None) as batch_op:
        batch_op.create_index("once_key_by_owner", ["owner"], unique=False)

    op.create_table(
        "process",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("heartbeat_at", sa.Double(), nullable=False),
        sa.Column("table_version", sa.Text(), nullable=True),
        sa.Column("listen", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("process")
    with op.batch_alter_table("once_key", schema=None) as batch_op:
        batch_op.drop_index("once_key_by_owner")

    op.drop_table("once_key")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("message_by_name")
        batch_op.drop_index("message_by_received")
        batch_op.drop_index("message_by_claim")

    op.drop_table("message")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index("hold_by_status")

    op.drop_table("hold")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("event_by_message")

    op.drop_table("event")
    op.drop_table("effect")
    op.drop_table("declared_queue")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index("dead_letter_by_status")
        batch_op.drop_index("dead_letter_by_parent")
        batch_op.drop_index("dead_letter_by_message")

    op.drop_table("dead_letter")
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.drop_index("command_by_status")

    op.drop_table("command")
    op.drop_table("claim")
    with op.batch_alter_table("business_key", schema=None) as batch_op:
        batch_op.drop_index("business_key_by_message")

    op.drop_table("business_key")
