"""Answers to requests that may be repeated"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repetition",
        sa.Column("owner", sa.Text(), nullable=False, comment="the source that was asked"),
        sa.Column("key", sa.Text(), nullable=False, comment="by which the request may be repeated, or may not"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="of what was asked"),
        sa.Column("taken_by", sa.String(length=32), nullable=False, comment="the process that does the work"),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="of the answer; null: still in work"),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True, comment="JSON"),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_index("repetition_by_expiry", "repetition", ["expires_at"])


def downgrade() -> None:
    op.drop_index("repetition_by_expiry", table_name="repetition")
    op.drop_table("repetition")
