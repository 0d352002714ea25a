"""Copies that wait for something else than time alone"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waiting",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("destinations", sa.Text(), nullable=False, comment="the open ones, comma-separated"),
        sa.Column("reason", sa.Text(), nullable=False, comment="once, endpoint, process or retry_after"),
        sa.Column("waits_for", sa.Text(), nullable=False, comment="the once-key, or the name of what is waited for"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text()),
        sa.Column("number", sa.Text()),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON: the copy, without its body"),
        sa.Column("body", sa.String(64), nullable=False, comment="claim of the canonical form"),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False, comment="woken then, whatever happens"),
        sa.Column("process", sa.String(32), nullable=False, comment="whose breaker it waits for"),
        sa.Column("taken_by", sa.String(32), comment="the process that publishes it now"),
        sa.Column("taken_at", sa.Double()),
    )
    op.create_index("waiting_by_reason", "waiting", ["reason", "waits_for", "since"])
    op.create_index("waiting_by_due", "waiting", ["due_at"])
    op.create_index("waiting_by_document", "waiting", ["document_id"])


def downgrade() -> None:
    op.drop_table("waiting")
