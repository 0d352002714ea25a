"""What explains a decision: what the source knew of a message; an effect is found by its key through an index"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TERMS = sa.Column("terms", sa.Text, comment="JSON: what its source knew beside the bytes; null: not recorded")


def upgrade() -> None:
    op.add_column("message", TERMS)
    op.create_index("effect_by_key", "effect", ["key"])


def downgrade() -> None:
    op.drop_index("effect_by_key", "effect")
    op.drop_column("message", "terms")
