"""What a model was asked, how it stands, and what it has said so far."""

from alembic import op

revision = "c0009"
down_revision = "c0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _run_events()


def _runs() -> None:
    op.execute("""
        CREATE TABLE runs (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT runs_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            operation text NOT NULL,
            asked_by text NOT NULL,
            state text NOT NULL DEFAULT 'pending',
            reason text,
            answer text,
            asked_characters bigint NOT NULL,
            last_number bigint NOT NULL DEFAULT 1,
            asked_at timestamptz NOT NULL DEFAULT now(),
            ended_at timestamptz,
            alive_until timestamptz NOT NULL,
            CONSTRAINT runs_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT runs_state_check CHECK (
                state IN ('pending', 'streaming', 'succeeded', 'degraded', 'failed')
            ),
            CONSTRAINT runs_ended_check CHECK (
                (ended_at IS NULL) = (state IN ('pending', 'streaming'))
            )
        )
    """)
    op.execute("""
        CREATE INDEX runs_tenant_id_alive_until_idx
        ON runs (tenant_id, alive_until) WHERE ended_at IS NULL
    """)
    op.execute("SELECT wall.enclose('runs')")


def _run_events() -> None:
    op.execute("""
        CREATE TABLE run_events (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT run_events_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            run_id uuid NOT NULL,
            number bigint NOT NULL,
            kind text NOT NULL,
            said text NOT NULL,
            written_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT run_events_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT run_events_tenant_id_run_id_number_key UNIQUE (tenant_id, run_id, number),
            CONSTRAINT run_events_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id)
                REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
            CONSTRAINT run_events_kind_check CHECK (kind IN ('state', 'delta'))
        )
    """)
    op.execute("""
        CREATE INDEX run_events_tenant_id_written_at_idx ON run_events (tenant_id, written_at)
    """)
    op.execute("SELECT wall.enclose('run_events')")


def downgrade() -> None:
    op.execute("DROP TABLE run_events")
    op.execute("DROP TABLE runs")
