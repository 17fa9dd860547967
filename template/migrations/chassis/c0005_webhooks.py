"""The ids of webhooks that had their effect."""

from alembic import op

revision = "c0005"
down_revision = "c0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE webhook_deliveries (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT webhook_deliveries_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            source text NOT NULL,
            message_id text NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT webhook_deliveries_tenant_id_source_message_id_key
                UNIQUE (tenant_id, source, message_id)
        )
    """)
    op.execute("""
        CREATE INDEX webhook_deliveries_tenant_id_received_at_idx
        ON webhook_deliveries (tenant_id, received_at)
    """)
    op.execute("SELECT wall.enclose('webhook_deliveries')")


def downgrade() -> None:
    op.execute("DROP TABLE webhook_deliveries")
