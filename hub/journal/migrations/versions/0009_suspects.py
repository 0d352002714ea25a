"""What workers and processes were lost over"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suspect",
        sa.Column("name", sa.Text(), primary_key=True, comment="source:claim:identity of an arrival, or a copy"),
        sa.Column("losses", sa.Integer(), nullable=False, comment="how often a worker, or a process, was lost over it"),
        sa.Column("cause", sa.Text(), nullable=False, comment="how it ended the last time"),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("begun_by", sa.String(32), comment="the process that works on the copy"),
    )


def downgrade() -> None:
    op.drop_table("suspect")
