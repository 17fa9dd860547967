"""Built-in accounts: passwords, one-time tokens, attempts, second factors and passkeys."""

from alembic import op

revision = "c0007"
down_revision = "c0006"
branch_labels = None
depends_on = None

KEYS = """
    tenant_id uuid NOT NULL DEFAULT wall.tenant(),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT {table}_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT {table}_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
"""
OF_MEMBER = """
    member_id uuid NOT NULL,
    CONSTRAINT {table}_tenant_id_member_id_fkey FOREIGN KEY (tenant_id, member_id)
        REFERENCES members (tenant_id, id) ON DELETE CASCADE,
"""
TABLES = {
    "passwords": f"""CREATE TABLE passwords ({KEYS} {OF_MEMBER}
        hash text NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT passwords_tenant_id_member_id_key UNIQUE (tenant_id, member_id)
    )""",
    "one_time_tokens": f"""CREATE TABLE one_time_tokens ({KEYS} {OF_MEMBER}
        purpose text NOT NULL,
        email text NOT NULL,
        secret_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT one_time_tokens_tenant_id_member_id_purpose_key
            UNIQUE (tenant_id, member_id, purpose),
        CONSTRAINT one_time_tokens_purpose_check
            CHECK (purpose IN ('invitation', 'reset', 'email'))
    )""",
    "account_attempts": f"""CREATE TABLE account_attempts ({KEYS}
        subject bytea NOT NULL,
        free bigint NOT NULL,
        failures bigint NOT NULL,
        counted_at timestamptz NOT NULL,
        opens_at timestamptz NOT NULL,
        CONSTRAINT account_attempts_tenant_id_subject_key UNIQUE (tenant_id, subject)
    )""",
    "totp_factors": f"""CREATE TABLE totp_factors ({KEYS} {OF_MEMBER}
        sealed_secret bytea NOT NULL,
        last_step bigint NOT NULL DEFAULT 0,
        confirmed_at timestamptz,
        CONSTRAINT totp_factors_tenant_id_member_id_key UNIQUE (tenant_id, member_id)
    )""",
    "recovery_codes": f"""CREATE TABLE recovery_codes ({KEYS} {OF_MEMBER}
        code_hash bytea NOT NULL,
        CONSTRAINT recovery_codes_tenant_id_member_id_code_hash_key
            UNIQUE (tenant_id, member_id, code_hash)
    )""",
    "passkeys": f"""CREATE TABLE passkeys ({KEYS} {OF_MEMBER}
        name text NOT NULL,
        credential_id bytea NOT NULL,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        used_at timestamptz,
        CONSTRAINT passkeys_tenant_id_credential_id_key UNIQUE (tenant_id, credential_id)
    )""",
    "passkey_challenges": f"""CREATE TABLE passkey_challenges ({KEYS}
        purpose text NOT NULL,
        challenge_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT passkey_challenges_tenant_id_challenge_hash_key
            UNIQUE (tenant_id, challenge_hash)
    )""",
}
INDEXES = {
    "account_attempts_tenant_id_counted_at_idx": "account_attempts (tenant_id, counted_at)",
    "passkeys_tenant_id_member_id_idx": "passkeys (tenant_id, member_id)",
    "passkey_challenges_tenant_id_expires_at_idx": "passkey_challenges (tenant_id, expires_at)",
}


def upgrade() -> None:
    for table, statement in TABLES.items():
        op.execute(statement.format(table=table))
        op.execute(f"SELECT wall.enclose('{table}')")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
