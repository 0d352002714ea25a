"""Under which address a document is sent, stored before the first attempt"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("effect", sa.Column("address", sa.Text(), comment="file name, routing key or path of every attempt"))


def downgrade() -> None:
    with op.batch_alter_table("effect") as effect:
        effect.drop_column("address")
