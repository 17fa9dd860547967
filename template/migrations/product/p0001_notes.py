"""The notes of the example feature."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "p0001"
down_revision: str | Sequence[str] | None = "p0000"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Uuid(), server_default=sa.text("wall.tenant()"), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="notes_tenant_id_fkey"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="notes_pkey"),
    )
    op.create_index("notes_tenant_id_created_at_id_idx", "notes", ["tenant_id", "created_at", "id"])
    op.execute("SELECT wall.enclose('notes')")


def downgrade() -> None:
    op.drop_table("notes")
