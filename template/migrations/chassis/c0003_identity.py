"""The people of a tenant, their sessions, its machines' keys, and the record of what they did."""

from alembic import op

revision = "c0003"
down_revision = "c0002"
branch_labels = None
depends_on = None

TABLES = ("members", "identities", "sessions", "refresh_tokens", "api_keys", "audit_log")

MEMBERS = """
CREATE TABLE members (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    state text NOT NULL DEFAULT 'invited',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT members_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT members_tenant_id_email_key UNIQUE (tenant_id, email),
    CONSTRAINT members_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT members_role_check CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
    CONSTRAINT members_state_check CHECK (state IN ('invited', 'active', 'disabled'))
)
"""

IDENTITIES = """
CREATE TABLE identities (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    member_id uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT identities_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT identities_tenant_id_issuer_subject_key UNIQUE (tenant_id, issuer, subject),
    CONSTRAINT identities_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT identities_tenant_id_member_id_fkey FOREIGN KEY (tenant_id, member_id)
        REFERENCES members (tenant_id, id) ON DELETE CASCADE
)
"""

SESSIONS = """
CREATE TABLE sessions (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    member_id uuid NOT NULL,
    methods text NOT NULL,
    address text NOT NULL,
    authenticated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text,
    CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT sessions_tenant_id_member_id_fkey FOREIGN KEY (tenant_id, member_id)
        REFERENCES members (tenant_id, id) ON DELETE CASCADE
)
"""

REFRESH_TOKENS = """
CREATE TABLE refresh_tokens (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    child_id uuid,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT refresh_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT refresh_tokens_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id)
        REFERENCES sessions (tenant_id, id) ON DELETE CASCADE
)
"""

API_KEYS = """
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL,
    role text NOT NULL,
    scopes text[] NOT NULL,
    secret_hash bytea NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT api_keys_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by)
        REFERENCES members (tenant_id, id),
    CONSTRAINT api_keys_role_check CHECK (role IN ('viewer', 'editor'))
)
"""

AUDIT_LOG = """
CREATE TABLE audit_log (
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    address text NOT NULL,
    trace_id text NOT NULL,
    detail text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT audit_log_tenant_id_number_key UNIQUE (tenant_id, number),
    CONSTRAINT audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
)
"""

# In the database, so that no program that may insert can choose a number, a time or a hash.
# The lock orders the writers of one tenant: each must see the row of the one before.
CHAIN = """
CREATE FUNCTION audit_chain() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit' || NEW.tenant_id, 0));
    SELECT number, hash INTO NEW.number, NEW.previous FROM audit_log
        WHERE tenant_id = NEW.tenant_id ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(NEW.number, 0) + 1;
    NEW.previous := coalesce(NEW.previous, '');
    NEW.at := clock_timestamp();
    NEW.hash := audit_hash(NEW);
    RETURN NEW;
END $$
"""

HASH = """
CREATE FUNCTION audit_hash(line audit_log) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(line.previous || convert_to(jsonb_build_array(
        line.tenant_id, line.id, line.number, extract(epoch FROM line.at), line.actor,
        line.action, line.target, line.address, line.trace_id, line.detail)::text, 'UTF8'))
$$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE tenants ADD plan text NOT NULL DEFAULT 'standard'")
    op.execute("ALTER TABLE tenants ADD suspended_at timestamptz")
    for statement in (MEMBERS, IDENTITIES, SESSIONS, REFRESH_TOKENS, API_KEYS, AUDIT_LOG):
        op.execute(statement)
    op.execute("CREATE INDEX sessions_tenant_id_member_id_idx ON sessions (tenant_id, member_id)")
    op.execute(
        "CREATE INDEX refresh_tokens_tenant_id_session_id_idx "
        "ON refresh_tokens (tenant_id, session_id)"
    )
    for table in TABLES:
        op.execute(f"SELECT wall.enclose('{table}')")
    op.execute("REVOKE UPDATE, DELETE ON audit_log FROM service_app, service_worker")
    op.execute(HASH)
    op.execute(CHAIN)
    op.execute("REVOKE ALL ON FUNCTION audit_hash, audit_chain FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION audit_hash TO service_app, service_worker, service_readonly"
    )
    op.execute(
        "CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_chain()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_chain ON audit_log")
    op.execute("DROP FUNCTION audit_chain")
    op.execute("DROP FUNCTION audit_hash")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE tenants DROP suspended_at, DROP plan")
