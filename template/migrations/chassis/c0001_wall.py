"""The wall: what a tenant capability is, and how a table is put behind it."""

from alembic import op

revision = "c0001"
down_revision = None
branch_labels = ("chassis",)
depends_on = None

KEYS = """
CREATE TABLE wall.keys (
    key_id text PRIMARY KEY,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    retired_at timestamptz
)
"""

# STABLE, so that `(SELECT wall.tenant())` is one InitPlan a query; not PARALLEL SAFE, because
# a parallel worker has another pid.
TENANT = """
CREATE FUNCTION wall.tenant() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    capability text := current_setting('wall.capability', true);
    part text[] := string_to_array(capability, '|');
    key wall.keys%ROWTYPE;
    signature bytea;
BEGIN
    IF coalesce(capability, '') = '' THEN
        RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'TW001';
    END IF;
    SELECT * INTO key FROM wall.keys AS k
        WHERE k.key_id = part[1] AND (k.retired_at IS NULL OR k.retired_at > now());
    signature := sha256(key.outer_pad || sha256(key.inner_pad || convert_to(
        concat_ws('|', part[1], part[2], part[3], part[4]), 'UTF8')));
    IF cardinality(part) <> 5
        OR signature IS NULL
        OR encode(signature, 'hex') <> part[5]
        OR part[3]::bigint < extract(epoch FROM clock_timestamp())
        OR part[4]::int <> pg_backend_pid() THEN
        RAISE EXCEPTION 'the tenant capability is not valid here' USING ERRCODE = 'TW002';
    END IF;
    RETURN part[2]::uuid;
END $$
"""

# The tripwire: a connection that still carries a binding must not serve anyone; nor one on which
# injected SQL left a cursor with rows, or a statement in the place of one of the driver's.
BIND = """
CREATE FUNCTION wall.bind(capability text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('wall.capability', true), '') <> ''
        OR EXISTS (SELECT FROM pg_prepared_statements WHERE from_sql)
        OR EXISTS (SELECT FROM pg_cursors WHERE is_holdable) THEN
        RAISE EXCEPTION 'this connection still carries a tenant' USING ERRCODE = 'TW003';
    END IF;
    PERFORM set_config('wall.capability', capability, true);
END $$
"""

ENCLOSE = """
CREATE FUNCTION wall.enclose(tab regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own text := 'tenant_id = (SELECT wall.tenant())';
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY tenant ON %s '
        'TO service_app, service_worker, service_readonly '
        'USING (%s) WITH CHECK (%s)', tab, own, own);
    EXECUTE format('CREATE POLICY floor ON %s AS RESTRICTIVE TO PUBLIC '
        'USING (%s) WITH CHECK (%s)', tab, own, own);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s '
        'TO service_app, service_worker', tab);
    EXECUTE format('GRANT SELECT ON %s TO service_readonly', tab);
END $$
"""

SHARE = """
CREATE FUNCTION wall.share(tab regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(obj_description(tab, 'pg_class'), '') NOT LIKE 'global: %' THEN
        RAISE EXCEPTION '% has no reason to be global', tab USING
            HINT = 'Say why in the table comment: global: <reason>. Or call wall.enclose.';
    END IF;
    EXECUTE format('GRANT SELECT ON %s TO service_app, service_worker, service_readonly', tab);
END $$
"""

INSTALL_KEY = """
CREATE FUNCTION wall.install_key(id text, inner_half bytea, outer_half bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO wall.keys VALUES (id, inner_half, outer_half) ON CONFLICT (key_id) DO NOTHING;
    IF NOT EXISTS (SELECT FROM wall.keys AS k WHERE k.key_id = id
        AND k.inner_pad = inner_half AND k.outer_pad = outer_half AND k.retired_at IS NULL) THEN
        RAISE EXCEPTION 'the key id % is taken by another key, or retired', id
            USING ERRCODE = 'TW004', HINT = 'Give the new key a new TENANCY_KEY_ID.';
    END IF;
END $$
"""

RETIRE_KEY = """
CREATE FUNCTION wall.retire_key(id text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE wall.keys SET retired_at = now() WHERE key_id = id
$$
"""


def upgrade() -> None:
    op.execute("SET ROLE service_keeper")
    for statement in (KEYS, TENANT, BIND, ENCLOSE, SHARE, INSTALL_KEY, RETIRE_KEY):
        op.execute(statement)
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA wall FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION wall.tenant(), wall.bind(text) "
        "TO service_owner, service_app, service_worker, service_readonly"
    )
    op.execute(
        "GRANT EXECUTE ON FUNCTION wall.enclose(regclass), wall.share(regclass) TO service_owner"
    )
    op.execute(
        "GRANT EXECUTE ON FUNCTION wall.install_key(text, bytea, bytea), wall.retire_key(text) "
        "TO service_migrator"
    )
    op.execute("SET ROLE service_owner")


def downgrade() -> None:
    op.execute("SET ROLE service_keeper")
    op.execute("DROP FUNCTION wall.tenant(), wall.bind, wall.enclose, wall.share")
    op.execute("DROP FUNCTION wall.install_key, wall.retire_key")
    op.execute("DROP TABLE wall.keys")
    op.execute("SET ROLE service_owner")
