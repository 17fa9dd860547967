"""The tenants, and the record of every use of the system's door."""

from alembic import op

revision = "c0002"
down_revision = "c0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE tenants (
            id uuid CONSTRAINT tenants_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
            name text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenants FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY tenant ON tenants FOR SELECT
        TO service_app, service_worker, service_readonly USING (id = (SELECT wall.tenant()))
    """)
    op.execute("""
        CREATE POLICY system ON tenants TO service_system USING (true) WITH CHECK (true)
    """)
    op.execute("GRANT SELECT ON tenants TO service_app, service_worker, service_readonly")
    op.execute("GRANT SELECT, INSERT, UPDATE ON tenants TO service_system")
    op.execute("""
        CREATE TABLE system_log (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT system_log_pkey PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            actor text NOT NULL,
            reason text NOT NULL CONSTRAINT system_log_reason_check CHECK (reason <> '')
        )
    """)
    op.execute("COMMENT ON TABLE system_log IS 'system: the audit of work across tenants'")
    op.execute("GRANT SELECT, INSERT ON system_log TO service_system")
    op.execute("COMMENT ON TABLE alembic_version IS 'system: which migrations ran'")


def downgrade() -> None:
    op.execute("COMMENT ON TABLE alembic_version IS NULL")
    op.execute("DROP TABLE system_log")
    op.execute("DROP TABLE tenants")
