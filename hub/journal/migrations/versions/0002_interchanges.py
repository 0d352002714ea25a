"""Control numbers, acknowledgments, interchanges that came in"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "message",
        sa.Column(
            "direction",
            sa.Text(),
            nullable=True,
            comment="outbound: an answer of ours to what came in; null: it came in",
        ),
    )
    op.add_column(
        "effect",
        sa.Column(
            "facts", sa.Text(), nullable=True, comment="JSON: what the bytes are called by, beside the document's facts"
        ),
    )
    op.add_column(
        "effect",
        sa.Column(
            "expect_ack",
            sa.Double(),
            nullable=True,
            comment="seconds within which the partner is to acknowledge the bytes",
        ),
    )
    op.create_table(
        "control_counter",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False, comment="the last control number taken for the partner"),
        sa.PrimaryKeyConstraint("partner"),
    )
    op.create_table(
        "interchange_sent",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column(
            "headers", sa.Text(), nullable=False, comment="JSON: the copy that it was made from, without its body"
        ),
        sa.Column("body", sa.String(length=64), nullable=False, comment="claim of the canonical form"),
        sa.Column("transaction_set", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("ack_due_at", sa.Double(), nullable=True),
        sa.Column(
            "ack",
            sa.Text(),
            nullable=False,
            comment="none, awaiting, accepted, accepted_with_errors, rejected or overdue",
        ),
        sa.Column("ack_at", sa.Double(), nullable=True),
        sa.Column("ack_message", sa.String(length=64), nullable=True, comment="the message that acknowledged it"),
        sa.Column("ack_text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("partner", "control_number"),
    )
    op.create_index(
        "interchange_sent_once",
        "interchange_sent",
        ["partner", "document_id", "destination", "generation"],
        unique=True,
    )
    op.create_index("interchange_sent_by_document", "interchange_sent", ["document_id", "destination"])
    op.create_index("interchange_sent_by_due", "interchange_sent", ["ack", "ack_due_at"])
    op.create_table(
        "interchange_received",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Text(), nullable=False),
        sa.Column("claim", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Text(), nullable=False, comment="of the interchange in the claim"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column(
            "duplicate", sa.Boolean(), nullable=False, comment="refused, because another claim had taken the number"
        ),
        sa.PrimaryKeyConstraint("partner", "control_number", "claim"),
    )


def downgrade() -> None:
    op.drop_table("interchange_received")
    op.drop_table("interchange_sent")
    op.drop_table("control_counter")
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.drop_column("expect_ack")
        batch_op.drop_column("facts")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("direction")
