"""The root of your branch: it needs the wall and the tenants."""

revision = "p0000"
down_revision = None
branch_labels = ("product",)
depends_on = ("c0002",)


def upgrade() -> None:
    """Nothing: your first migration follows this one."""


def downgrade() -> None:
    """Nothing to take back."""
