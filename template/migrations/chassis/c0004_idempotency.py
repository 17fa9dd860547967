"""What was answered to a request that came with an idempotency key."""

from alembic import op

revision = "c0004"
down_revision = "c0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE idempotency_keys (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT idempotency_keys_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            principal text NOT NULL,
            fingerprint bytea NOT NULL,
            claim uuid NOT NULL,
            state text NOT NULL CONSTRAINT idempotency_keys_state_check
                CHECK (state IN ('asking', 'begun', 'finished', 'streamed', 'unstored')),
            status bigint,
            headers jsonb,
            body bytea,
            created_at timestamptz NOT NULL DEFAULT now(),
            claimed_until timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, id)
        )
    """)
    op.execute("""
        CREATE INDEX idempotency_keys_tenant_id_principal_expires_at_idx
        ON idempotency_keys (tenant_id, principal, expires_at)
    """)
    op.execute("""
        CREATE INDEX idempotency_keys_tenant_id_expires_at_idx
        ON idempotency_keys (tenant_id, expires_at)
    """)
    op.execute("SELECT wall.enclose('idempotency_keys')")


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys")
