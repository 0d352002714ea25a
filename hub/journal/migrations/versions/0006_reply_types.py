"""What a far end calls its reply"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("effect", sa.Column("reply_type", sa.Text(), nullable=True, comment="content type of the reply"))


def downgrade() -> None:
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.drop_column("reply_type")
