"""What is still to be sent to others, and what nobody took."""

from alembic import op

revision = "c0008"
down_revision = "c0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE outgoing (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT outgoing_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            destination text NOT NULL,
            body bytea NOT NULL,
            caused_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            due_at timestamptz NOT NULL DEFAULT now(),
            attempts bigint NOT NULL DEFAULT 0,
            dead_at timestamptz,
            CONSTRAINT outgoing_pkey PRIMARY KEY (tenant_id, id)
        )
    """)
    op.execute("""
        CREATE INDEX outgoing_tenant_id_due_at_idx
        ON outgoing (tenant_id, due_at) WHERE dead_at IS NULL
    """)
    op.execute("SELECT wall.enclose('outgoing')")


def downgrade() -> None:
    op.execute("DROP TABLE outgoing")
