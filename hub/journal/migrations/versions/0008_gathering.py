"""What documents that go together have in common"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "batch_member",
        sa.Column(
            "gathered",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="JSON: facts that its batch has in common",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("batch_member") as table:
        table.drop_column("gathered")
