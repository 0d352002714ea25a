"""What workers were lost over"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suspect",
        sa.Column("name", sa.Text(), primary_key=True, comment="source:claim:identity of an arrival"),
        sa.Column("count", sa.Integer(), nullable=False, comment="how often a worker was lost over it"),
        sa.Column("cause", sa.Text(), nullable=False, comment="how it ended the last time"),
        sa.Column("updated_at", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("suspect")
