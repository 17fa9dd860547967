"""Jobs: each tenant's own rows, and the queue of tickets that tells workers to look at them.

A ticket is a tenant and an id. It says nothing of what is to be done, and no role that serves
requests can read one: they put tickets, for the tenant that is bound, through `wall.put_ticket`.
"""

from importlib.resources import files

from alembic import op

revision = "c0010"
down_revision = "c0009"
branch_labels = None
depends_on = None

SCHEMA_MISSING = """
DO $$ BEGIN
    IF to_regnamespace('queue') IS NULL THEN
        RAISE EXCEPTION 'the schema queue is missing'
            USING HINT = 'Let an administrator run migrations/bootstrap.sql once more.';
    END IF;
END $$
"""

# One statement for the driver, however many the library's file holds.
TICKETS = "DO $do$ BEGIN EXECUTE $tickets${}$tickets$; END $do$"

# Rights inside the schema count for nothing without the right to use it, which only
# service_worker has.
GRANTS = (
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA queue FROM PUBLIC",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA queue TO service_worker",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO service_worker",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO service_worker",
)

# The tenant is the one that is bound, whatever the caller says. Fair: a job waits for as many
# turns as its tenant has jobs in front of it, counted from the turn that is being served.
PUT_TICKET = """
CREATE FUNCTION wall.put_ticket(job uuid, ahead bigint, due timestamptz, most bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, queue, pg_temp AS $$
DECLARE
    tenant uuid := wall.tenant();
    turn bigint;
BEGIN
    IF EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' OFFSET most - 1) THEN
        RETURN false;
    END IF;
    SELECT -priority INTO turn FROM procrastinate_jobs WHERE status = 'todo'
        AND (scheduled_at IS NULL OR scheduled_at <= now()) ORDER BY priority DESC LIMIT 1;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'jobs', 'run', -least(coalesce(turn, 0) + ahead, 2000000000), NULL, NULL,
        jsonb_build_object('tenant_id', tenant, 'job_id', job),
        CASE WHEN due > now() THEN due END)::procrastinate_job_to_defer_v1]);
    RETURN true;
END $$
"""

JOBS = """
CREATE TABLE jobs (
    tenant_id uuid NOT NULL DEFAULT wall.tenant()
        CONSTRAINT jobs_tenant_id_fkey REFERENCES tenants (id),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    version bigint NOT NULL,
    work jsonb NOT NULL,
    caused_by text NOT NULL,
    scopes text[],
    key text,
    trace_id text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CONSTRAINT jobs_state_check
        CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'dead', 'cancelled')),
    attempts bigint NOT NULL DEFAULT 0,
    reason text,
    result jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT jobs_tenant_id_key_key UNIQUE (tenant_id, key)
)
"""

# Everything in the schema and not the schema: it takes an administrator to make that again.
EMPTY = """
DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT format('DROP TABLE %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = 'queue'::regnamespace AND relkind = 'r' LOOP EXECUTE each; END LOOP;
    FOR each IN SELECT format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'queue'::regnamespace LOOP EXECUTE each; END LOOP;
    FOR each IN SELECT format('DROP TYPE %s CASCADE', oid::regtype) FROM pg_type
        WHERE typnamespace = 'queue'::regnamespace AND typcategory <> 'A' LOOP EXECUTE each;
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(SCHEMA_MISSING)
    op.execute("SET ROLE service_keeper")
    op.execute("SET LOCAL search_path = queue")
    schema = files("procrastinate.sql") / "schema.sql"
    op.execute(TICKETS.format(schema.read_text("utf-8")))
    op.execute("SET LOCAL search_path TO DEFAULT")
    for grant in GRANTS:
        op.execute(grant)
    op.execute(PUT_TICKET)
    signature = "wall.put_ticket(uuid, bigint, timestamptz, bigint)"
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO service_app, service_worker")
    op.execute("SET ROLE service_owner")
    op.execute(JOBS)
    op.execute(
        "CREATE INDEX jobs_tenant_id_due_at_idx ON jobs (tenant_id, due_at) WHERE state = 'pending'"
    )
    op.execute("CREATE INDEX jobs_tenant_id_finished_at_idx ON jobs (tenant_id, finished_at)")
    op.execute("SELECT wall.enclose('jobs')")


def downgrade() -> None:
    op.execute("DROP TABLE jobs")
    op.execute("SET ROLE service_keeper")
    op.execute("DROP FUNCTION wall.put_ticket")
    op.execute(EMPTY)
    op.execute("SET ROLE service_owner")
