"""Processes that died while a copy only waited; what an adapter notes before a step that can't be undone"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BEGUN_AT = sa.Column("begun_at", sa.Double, comment="when it began, by the clock of the database")
LATE = sa.Column("late", sa.Integer, nullable=False, server_default="0", comment="processes that died while it waited")
MARK = sa.Column("mark", sa.Text, comment="what the adapter noted before a step that can't be undone")


def upgrade() -> None:
    op.add_column("suspect", BEGUN_AT)
    op.add_column("suspect", LATE)
    op.add_column("effect", MARK)


def downgrade() -> None:
    op.drop_column("effect", "mark")
    op.drop_column("suspect", "late")
    op.drop_column("suspect", "begun_at")
