"""Effects that are open are found without looking at all others"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("status IN ('prepared', 'retrying')")


def upgrade() -> None:
    op.create_index("effect_open", "effect", ["updated_at"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("effect_open", "effect")
