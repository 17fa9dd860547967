"""How an answer came about, what people think of it, and whom they ask instead."""

from alembic import op

revision = "c0011"
down_revision = "c0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null for what was asked before this, or is not known.
    op.execute("""
        ALTER TABLE runs
            ADD COLUMN model text,
            ADD COLUMN model_version text,
            ADD COLUMN prompt_version bigint,
            ADD COLUMN sources jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN cited text[] NOT NULL DEFAULT '{}',
            ADD COLUMN estimator text,
            ADD COLUMN confidence double precision,
            ADD COLUMN answer_sha256 text
    """)
    _run_feedback()
    _escalations()
    _escalations_in_order()


def _run_feedback() -> None:
    op.execute("""
        CREATE TABLE run_feedback (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT run_feedback_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            run_id uuid NOT NULL,
            given_by text NOT NULL,
            helpful boolean NOT NULL,
            reason text,
            comment text,
            given_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT run_feedback_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT run_feedback_tenant_id_run_id_given_by_key
                UNIQUE (tenant_id, run_id, given_by),
            CONSTRAINT run_feedback_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id)
                REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
            CONSTRAINT run_feedback_reason_check CHECK (
                reason IN ('incorrect', 'incomplete', 'off_topic', 'outdated', 'harmful', 'other')
            )
        )
    """)
    op.execute("SELECT wall.enclose('run_feedback')")


def _escalations() -> None:
    op.execute("""
        CREATE TABLE escalations (
            tenant_id uuid NOT NULL DEFAULT wall.tenant()
                CONSTRAINT escalations_tenant_id_fkey REFERENCES tenants (id),
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            run_id uuid NOT NULL,
            state text NOT NULL DEFAULT 'open',
            reason text NOT NULL,
            asked_by text NOT NULL,
            asked_at timestamptz NOT NULL DEFAULT now(),
            taken_by text,
            taken_at timestamptz,
            settled_by text,
            settled_at timestamptz,
            outcome text,
            CONSTRAINT escalations_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT escalations_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id)
                REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
            CONSTRAINT escalations_state_check CHECK (state IN ('open', 'taken', 'settled'))
        )
    """)
    op.execute("SELECT wall.enclose('escalations')")


def _escalations_in_order() -> None:
    op.execute("""
        CREATE UNIQUE INDEX escalations_tenant_id_run_id_idx
        ON escalations (tenant_id, run_id) WHERE state <> 'settled'
    """)
    op.execute("""
        CREATE INDEX escalations_tenant_id_asked_at_idx
        ON escalations (tenant_id, asked_at) WHERE state <> 'settled'
    """)


def downgrade() -> None:
    op.execute("DROP TABLE escalations")
    op.execute("DROP TABLE run_feedback")
    op.execute("""
        ALTER TABLE runs
            DROP COLUMN model,
            DROP COLUMN model_version,
            DROP COLUMN prompt_version,
            DROP COLUMN sources,
            DROP COLUMN cited,
            DROP COLUMN estimator,
            DROP COLUMN confidence,
            DROP COLUMN answer_sha256
    """)
