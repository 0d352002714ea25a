"""Leases, and what sources remember"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False, comment="source:acme-inbox"),
        sa.Column("holder", sa.String(length=32), nullable=False, comment="the process that has it"),
        sa.Column("until", sa.Double(), nullable=False, comment="by the database's clock"),
        sa.Column("taken_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "memory",
        sa.Column("owner", sa.Text(), nullable=False, comment="the source that remembers"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name"),
    )


def downgrade() -> None:
    op.drop_table("memory")
    op.drop_table("lease")
