"""Where a tenant's people may sign in, besides where the operator says."""

from alembic import op

revision = "c0006"
down_revision = "c0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE identity_providers (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT identity_providers_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            name text NOT NULL,
            issuer text NOT NULL,
            client_id text NOT NULL,
            client_secret_sealed text NOT NULL,
            algorithm text NOT NULL,
            verified_email_only boolean NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT identity_providers_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT identity_providers_tenant_id_name_key UNIQUE (tenant_id, name)
        )
    """)
    op.execute("SELECT wall.enclose('identity_providers')")


def downgrade() -> None:
    op.execute("DROP TABLE identity_providers")
