-- Every hole in the tenancy wall, one row each: the object, and what is wrong with the fix.
-- A clean database returns no row. Readable by every role; names nothing of a tenant's.
WITH
roles AS (
    SELECT * FROM pg_roles
    WHERE rolname IN ('service_app', 'service_worker', 'service_readonly', 'service_system')
),
served AS (
    SELECT * FROM roles WHERE rolname <> 'service_system'
),
schemas AS (
    SELECT * FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND nspname !~ '^pg_(toast_)?temp_'
),
relations AS (
    SELECT c.*, CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name,
           n.nspname,
           coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
    FROM pg_class c JOIN schemas n ON n.oid = c.relnamespace
),
tables AS (
    SELECT *, CASE
        WHEN nspname = 'wall' THEN 'wall'
        WHEN nspname = 'public' AND relname = 'tenants' THEN 'registry'
        WHEN nspname = 'public' AND relname IN ('system_log', 'alembic_version') THEN 'system'
        WHEN comment LIKE 'global: _%' THEN 'global'
        ELSE 'tenant'
    END AS kind
    FROM relations WHERE relkind IN ('r', 'p')
),
tenant_tables AS (
    SELECT * FROM tables WHERE kind = 'tenant'
),
grants AS (
    SELECT r.name, r.relkind, coalesce(t.kind, '') AS kind, a.grantee, a.privilege_type,
           coalesce(g.rolname, 'PUBLIC') AS to_role
    FROM relations r LEFT JOIN tables t ON t.oid = r.oid
    CROSS JOIN LATERAL aclexplode(coalesce(r.relacl, acldefault('r', r.relowner))) a
    LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE a.grantee <> r.relowner
),
allowed (kind, to_role, privileges) AS (
    VALUES
    ('tenant', 'service_app', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('tenant', 'service_worker', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('tenant', 'service_readonly', ARRAY['SELECT']),
    ('global', 'service_app', ARRAY['SELECT']),
    ('global', 'service_worker', ARRAY['SELECT']),
    ('global', 'service_readonly', ARRAY['SELECT']),
    ('registry', 'service_app', ARRAY['SELECT']),
    ('registry', 'service_worker', ARRAY['SELECT']),
    ('registry', 'service_readonly', ARRAY['SELECT']),
    ('registry', 'service_system', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('system', 'service_system', ARRAY['SELECT', 'INSERT'])
),
policies AS (
    SELECT p.*, t.kind, t.name,
           ARRAY(SELECT coalesce(g.rolname, 'PUBLIC')::text FROM unnest(p.polroles) o
                 LEFT JOIN pg_roles g ON g.oid = o ORDER BY 1) AS to_roles,
           pg_get_expr(polqual, polrelid) AS visible,
           pg_get_expr(polwithcheck, polrelid) AS writable
    FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
),
canonical AS (
    SELECT p.oid FROM policies p,
        (SELECT '( SELECT wall.tenant() AS tenant)' AS bound,
                ARRAY['service_app', 'service_readonly', 'service_worker'] AS everyone) c
    WHERE (p.kind = 'tenant' AND p.polcmd = '*'
           AND p.visible = format('(tenant_id = %s)', c.bound)
           AND p.writable = format('(tenant_id = %s)', c.bound)
           AND ((p.polname = 'tenant' AND p.polpermissive AND p.to_roles = c.everyone)
             OR (p.polname = 'floor' AND NOT p.polpermissive AND p.to_roles = ARRAY['PUBLIC'])))
       OR (p.kind = 'registry' AND p.polname = 'tenant' AND p.polcmd = 'r' AND p.polpermissive
           AND p.to_roles = c.everyone AND p.visible = format('(id = %s)', c.bound))
       OR (p.kind = 'registry' AND p.polname = 'system' AND p.polcmd = '*' AND p.polpermissive
           AND p.to_roles = ARRAY['service_system'] AND p.visible = 'true')
),
functions AS (
    SELECT p.*, p.oid::regprocedure::text AS name, n.nspname,
           pg_get_userbyid(p.proowner) AS owner,
           md5(concat_ws('|', prosrc, prosecdef, provolatile, proparallel, proleakproof,
                         array_to_string(proconfig, ';'))) AS print
    FROM pg_proc p JOIN schemas n ON n.oid = p.pronamespace
),
genuine (name, print) AS (
    VALUES
    ('wall.bind(text)', '6ab861c9f6568dfd1938557336389c72'),
    ('wall.install_key(text,bytea,bytea)', '755c976c5e34a8246849f33edf1c3322'),
    ('wall.tenant()', '1ebb41a2fe511cc54403cb2a96b5f1ad'),
    ('wall.enclose(regclass)', 'dac2e8cddfe707e3672085b9540e22e9'),
    ('wall.share(regclass)', '53cbc35d0e83d5fadbe031389d0df02e'),
    ('wall.retire_key(text)', '07681694685ae4ba781658e22ba5f41c')
)

SELECT rolname::text AS object, 'has an attribute that goes around the wall; ALTER ROLE … '
    'NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION' AS finding
FROM roles WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
UNION ALL
SELECT r.rolname::text, format('is a member of %s; REVOKE it', m.roleid::regrole)
FROM pg_auth_members m JOIN roles r ON r.oid = m.member
UNION ALL
SELECT r.rolname::text, format('may act as others through %s; REVOKE it', m.member::regrole)
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
WHERE r.rolname IN ('service_owner', 'service_keeper')
  AND m.member::regrole::text <> 'service_migrator' AND NOT (
      SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE oid = m.member)
UNION ALL
SELECT r.rolname::text, 'has settings of its own for the wall or for row_security; ALTER ROLE … RESET ALL'
FROM pg_db_role_setting s JOIN roles r ON r.oid = s.setrole OR s.setrole = 0
WHERE array_to_string(s.setconfig, ' ') ~ '(wall\.|row_security|search_path|session_preload)'
UNION ALL
SELECT t.name, 'has no forced row-level security; SELECT wall.enclose(''' || t.name || ''')'
FROM tables t WHERE t.kind IN ('tenant', 'registry')
  AND NOT (t.relrowsecurity AND t.relforcerowsecurity)
UNION ALL
SELECT t.name, 'has no tenant_id uuid NOT NULL; inherit TenantOwned, or say why it is global'
FROM tenant_tables t WHERE NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id'
      AND a.attnotnull AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped)
UNION ALL
SELECT t.name, 'stamps rows with something else than wall.tenant(); set that DEFAULT on tenant_id'
FROM tenant_tables t WHERE NOT EXISTS (
    SELECT FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = t.oid AND a.attname = 'tenant_id'
      AND pg_get_expr(d.adbin, d.adrelid) = 'wall.tenant()')
UNION ALL
SELECT t.name, 'does not refer to tenants; add FOREIGN KEY (tenant_id) REFERENCES tenants (id)'
FROM tenant_tables t WHERE NOT t.relispartition AND NOT EXISTS (
    SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
    WHERE k.conrelid = t.oid AND k.contype = 'f' AND k.confrelid = 'public.tenants'::regclass
      AND k.conkey = ARRAY[a.attnum] AND k.convalidated)
UNION ALL
SELECT t.name, 'has no primary key; make it (tenant_id, id)'
FROM tenant_tables t WHERE NOT EXISTS (
    SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
UNION ALL
SELECT t.name, format('has the index %s, which does not start with tenant_id: it tells what '
    'other tenants hold', i.indexrelid::regclass)
FROM pg_index i JOIN tenant_tables t ON t.oid = i.indrelid
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
WHERE (i.indisunique OR i.indisexclusion) AND a.attname IS DISTINCT FROM 'tenant_id'
UNION ALL
SELECT t.name, format('has the foreign key %s, which can point at another tenant''s row; make it '
    '(tenant_id, …) REFERENCES … (tenant_id, …)', k.conname)
FROM pg_constraint k JOIN tenant_tables t ON t.oid = k.conrelid
JOIN tables target ON target.oid = k.confrelid AND target.kind = 'tenant'
WHERE k.contype = 'f' AND NOT EXISTS (
    SELECT FROM pg_attribute a, pg_attribute b
    WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1] AND a.attname = 'tenant_id'
      AND b.attrelid = k.confrelid AND b.attnum = k.confkey[1] AND b.attname = 'tenant_id')
UNION ALL
SELECT t.name, format('is global, but %s refers to a tenant''s rows; drop it', k.conname)
FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
JOIN tables target ON target.oid = k.confrelid AND target.kind = 'tenant'
WHERE k.contype = 'f' AND t.kind <> 'tenant'
UNION ALL
SELECT p.name, format('has the policy %s, which is not the canonical one; drop it, then '
    'SELECT wall.enclose(''%s'')', p.polname, p.name)
FROM policies p WHERE p.oid NOT IN (SELECT oid FROM canonical)
UNION ALL
SELECT t.name, 'lacks one of its two policies; SELECT wall.enclose(''' || t.name || ''')'
FROM tables t WHERE t.kind IN ('tenant', 'registry') AND (
    SELECT count(*) FROM policies p JOIN canonical c ON c.oid = p.oid
    WHERE p.polrelid = t.oid) <> 2
UNION ALL
SELECT r.name, CASE r.relkind
    WHEN 'v' THEN 'is a view that reads with its owner''s eyes; WITH (security_invoker = true)'
    ELSE 'is a materialized view or foreign table, which no policy guards; drop it' END
FROM relations r WHERE r.relkind IN ('m', 'f') OR (r.relkind = 'v' AND NOT
    coalesce(r.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false))
UNION ALL
SELECT t.name, 'is UNLOGGED or temporary and survives no crash; SET LOGGED'
FROM tenant_tables t WHERE t.relpersistence <> 'p'
UNION ALL
SELECT t.name, format('has the rule %s, which can rewrite a query past its policy; drop it', w.rulename)
FROM pg_rewrite w JOIN tables t ON t.oid = w.ev_class
UNION ALL
SELECT f.name, 'runs with its owner''s rights, or is marked LEAKPROOF, or hides a setting behind '
    'IMMUTABLE; write it as SECURITY INVOKER, NOT LEAKPROOF, STABLE'
FROM functions f WHERE f.nspname <> 'wall' AND (
    f.prosecdef OR f.proleakproof OR (f.provolatile = 'i' AND f.prosrc ILIKE '%current_setting%'))
UNION ALL
SELECT f.name, 'is not part of the wall, or was changed; migrations/chassis has the genuine one'
FROM functions f LEFT JOIN genuine g ON g.name = f.name
WHERE f.nspname = 'wall' AND (g.print IS DISTINCT FROM f.print OR f.owner <> 'service_keeper')
UNION ALL
SELECT g.name, 'is missing; run the migrations'
FROM genuine g WHERE NOT EXISTS (SELECT FROM functions f WHERE f.name = g.name)
UNION ALL
SELECT f.name, format('may be called by %s; REVOKE EXECUTE', coalesce(r.rolname, 'PUBLIC'))
FROM functions f CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE f.nspname = 'wall' AND a.grantee <> f.proowner AND NOT CASE
    WHEN f.proname IN ('tenant', 'bind') THEN coalesce(r.rolname, 'PUBLIC') IN
        ('service_owner', 'service_app', 'service_worker', 'service_readonly')
    WHEN f.proname IN ('enclose', 'share') THEN coalesce(r.rolname, 'PUBLIC') = 'service_owner'
    ELSE coalesce(r.rolname, 'PUBLIC') = 'service_migrator' END
UNION ALL
SELECT r.name, format('belongs to %s; ALTER … OWNER TO %s', pg_get_userbyid(r.relowner),
    CASE r.nspname WHEN 'wall' THEN 'service_keeper' ELSE 'service_owner' END)
FROM relations r WHERE r.relkind NOT IN ('i', 'I', 't') AND pg_get_userbyid(r.relowner) <>
    CASE r.nspname WHEN 'wall' THEN 'service_keeper' ELSE 'service_owner' END
UNION ALL
SELECT n.nspname::text, format('is a schema of %s; ALTER SCHEMA … OWNER TO %s',
    pg_get_userbyid(n.nspowner),
    CASE n.nspname WHEN 'wall' THEN 'service_keeper' ELSE 'service_owner' END)
FROM schemas n WHERE pg_get_userbyid(n.nspowner) <>
    CASE n.nspname WHEN 'wall' THEN 'service_keeper' ELSE 'service_owner' END
UNION ALL
SELECT g.name, format('grants %s to %s; REVOKE it', g.privilege_type, g.to_role)
FROM grants g LEFT JOIN allowed a ON a.kind = g.kind AND a.to_role = g.to_role
WHERE NOT CASE
    WHEN g.relkind = 'S' THEN g.privilege_type = 'USAGE'
    WHEN g.relkind = 'v' THEN g.privilege_type IN ('SELECT') AND g.to_role <> 'PUBLIC'
    ELSE coalesce(g.privilege_type = ANY (a.privileges), false) END
UNION ALL
SELECT r.name, format('grants a column to %s; REVOKE it', coalesce(g.rolname, 'PUBLIC'))
FROM pg_attribute c JOIN relations r ON r.oid = c.attrelid CROSS JOIN LATERAL aclexplode(c.attacl) a
LEFT JOIN pg_roles g ON g.oid = a.grantee WHERE a.grantee <> r.relowner
UNION ALL
SELECT n.nspname::text, format('lets %s create objects; REVOKE CREATE ON SCHEMA', r.rolname)
FROM schemas n CROSS JOIN roles r WHERE has_schema_privilege(r.oid, n.oid, 'CREATE')
UNION ALL
SELECT current_database()::text, format('lets %s create schemas or temporary tables; '
    'REVOKE ALL ON DATABASE … FROM PUBLIC', r.rolname)
FROM roles r WHERE has_database_privilege(r.oid, current_database(), 'CREATE')
    OR has_database_privilege(r.oid, current_database(), 'TEMPORARY')
UNION ALL
SELECT coalesce(n.nspname, 'every schema')::text, format('grants future objects to %s; '
    'ALTER DEFAULT PRIVILEGES … REVOKE', coalesce(r.rolname, 'PUBLIC'))
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee = 0 OR r.rolname IN (SELECT rolname FROM roles)
ORDER BY 1, 2
