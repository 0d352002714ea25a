"""Batches: documents that go together in one interchange"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column(
            "id", sa.String(length=64), nullable=False, comment="derived from the members; also the id of its message"
        ),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="invoice@1: the kind of its members"),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=False),
        sa.Column("taken_by", sa.String(length=32), nullable=False, comment="the process that publishes it"),
        sa.Column("published_at", sa.Double(), nullable=True, comment="null: not yet confirmed by the broker"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batch_by_published", "batch", ["published_at"])
    op.create_table(
        "batch_member",
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="invoice@1"),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON: its copy, without the body"),
        sa.Column("body", sa.String(length=64), nullable=False, comment="claim of the canonical form"),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=True, comment="null: it waits"),
        sa.Column(
            "position", sa.Integer(), nullable=True, comment="of its transaction in the interchange, from 1 (ST02)"
        ),
        sa.Column("ack", sa.Text(), nullable=False, comment="none, accepted, accepted_with_errors or rejected"),
        sa.Column("ack_message", sa.String(length=64), nullable=True, comment="the message that acknowledged it"),
        sa.PrimaryKeyConstraint("document_id", "destination", "generation"),
    )
    op.create_index("batch_member_waiting", "batch_member", ["batch", "destination", "document", "test", "added_at"])


def downgrade() -> None:
    op.drop_table("batch_member")
    op.drop_table("batch")
