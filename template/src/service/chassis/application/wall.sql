-- Every hole in the tenancy wall, one row each: the object, and what is wrong with the fix.
-- A clean database returns no row. Readable by every role; names nothing of a tenant's.
WITH
roles AS (
    SELECT *, rolname ~ '(owner|keeper)$' AS hat, rolname !~ '(owner|keeper|migrator)$' AS serves
    FROM pg_roles WHERE rolname ~ '^service_(app|worker|readonly|system|owner|keeper|migrator)$'
),
schemas AS (
    SELECT *, CASE WHEN nspname IN ('wall', 'queue') THEN 'service_keeper'
              ELSE 'service_owner' END AS rightful
    FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp_)'
),
-- From 16384 on an oid is no part of Postgres itself, whichever schema hides it.
relations AS (
    SELECT c.*, n.nspname,
           CASE WHEN nspname IN ('wall', 'queue') THEN 'service_keeper'
           ELSE 'service_owner' END AS rightful,
           CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp_)'
),
tables AS (
    SELECT *, kind IN ('tenant', 'registry') AS walled
    FROM relations CROSS JOIN LATERAL (SELECT CASE
        WHEN nspname IN ('wall', 'queue') THEN nspname
        WHEN name = 'tenants' THEN 'registry'
        WHEN name IN ('system_log', 'alembic_version') THEN 'system'
        WHEN obj_description(oid, 'pg_class') LIKE 'global: _%' THEN 'global'
        ELSE 'tenant' END) AS k (kind)
    WHERE relkind IN ('r', 'p')
),
tenant_tables AS (
    SELECT t.*, a.attnum AS tenant_id, a.attnotnull AND a.atttypid = 'uuid'::regtype AS proper,
           (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
            WHERE d.adrelid = t.oid AND d.adnum = a.attnum) AS stamp
    FROM tables t LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
    WHERE t.kind = 'tenant'
),
foreign_keys AS (
    SELECT k.*, t.name, t.kind, target.kind AS target,
           a.attname = 'tenant_id' AND b.attname =
               CASE target.kind WHEN 'tenant' THEN 'tenant_id' ELSE 'id' END AS enclosed
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
    JOIN tables target ON target.oid = k.confrelid AND target.walled
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
    WHERE k.contype = 'f'
),
grants AS (
    SELECT r.name, r.relkind, a.privilege_type, a.is_grantable,
           CASE r.name WHEN 'audit_log' THEN 'ledger' ELSE coalesce(t.kind, '') END AS kind,
           coalesce(g.rolname, 'PUBLIC') AS to_role
    FROM relations r LEFT JOIN tables t ON t.oid = r.oid
    CROSS JOIN LATERAL (SELECT r.relacl UNION ALL
        SELECT attacl FROM pg_attribute c WHERE c.attrelid = r.oid) l (acl)
    CROSS JOIN LATERAL aclexplode(l.acl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE a.grantee <> r.relowner
),
allowed (kind, to_roles, privileges) AS (
    VALUES
    ('tenant', '{service_app, service_worker}'::text[], '{SELECT, INSERT, UPDATE, DELETE}'::text[]),
    ('tenant', '{service_readonly}', '{SELECT}'), ('ledger', '{service_readonly}', '{SELECT}'),
    ('ledger', '{service_app, service_worker}', '{SELECT, INSERT}'),
    ('global', '{service_app, service_worker, service_readonly}', '{SELECT}'),
    ('registry', '{service_app, service_worker, service_readonly}', '{SELECT}'),
    ('registry', '{service_system}', '{SELECT, INSERT, UPDATE}'),
    ('system', '{service_system}', '{SELECT, INSERT}'),
    ('queue', '{service_worker}', '{SELECT, INSERT, UPDATE, DELETE}')),
canonical (kind, name, command, permissive, to_roles, visible, writable) AS (
    SELECT kind, name, command, permissive, to_roles, own, CASE command WHEN '*' THEN own END
    FROM (VALUES
        ('tenant', 'tenant', '*', true, 'service_app,service_readonly,service_worker', 'tenant_id'),
        ('tenant', 'floor', '*', false, 'PUBLIC', 'tenant_id'),
        ('registry', 'tenant', 'r', true, 'service_app,service_readonly,service_worker', 'id'),
        ('registry', 'system', '*', true, 'service_system', 'true')
    ) p (kind, name, command, permissive, to_roles, part) CROSS JOIN LATERAL (SELECT CASE
        part WHEN 'true' THEN part ELSE format('(%s = ( SELECT wall.tenant() AS tenant))', part) END
    ) o (own)
),
policies AS (
    SELECT t.oid AS on_table, t.name, p.polname, EXISTS (
        SELECT FROM canonical c WHERE c.kind = t.kind AND c.name = p.polname
        AND c.command = p.polcmd::text AND c.permissive = p.polpermissive AND c.to_roles = (
            SELECT string_agg(coalesce(g.rolname, 'PUBLIC'), ',' ORDER BY g.rolname)
            FROM unnest(p.polroles) o LEFT JOIN pg_roles g ON g.oid = o)
        AND c.visible = pg_get_expr(polqual, polrelid)
        AND c.writable IS NOT DISTINCT FROM pg_get_expr(polwithcheck, polrelid)) AS canonical
    FROM pg_policy p JOIN tables t ON t.oid = p.polrelid
),
functions AS (
    SELECT p.*, p.oid::regprocedure::text AS name, n.nspname, l.lanpltrusted,
           concat(p.prosrc, pg_get_function_sqlbody(p.oid)) AS body,
           left(encode(sha256(convert_to(concat_ws('|', prosrc, lanname, prorettype::regtype,
               prosecdef, provolatile, proparallel, proleakproof, proisstrict, prosupport,
               array_to_string(proconfig, ';')), 'UTF8')), 'hex'), 32) AS print
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND n.nspname !~ '^pg_temp_'
),
genuine (name, print, callers) AS (
    VALUES
    ('wall.bind(text)', 'd43ef7176f86596031a335e381541205', 'owner|app|worker|readonly'),
    ('wall.install_key(text,bytea,bytea)', '863f1ff4d7060566e6eeff37de23bc59', 'migrator'),
    ('wall.tenant()', '424ad93ee11c41b59469f1930ea417b6', 'owner|app|worker|readonly'),
    ('wall.enclose(regclass)', '2f429bf75157242d1784590d5f11a245', 'owner'),
    ('wall.share(regclass)', '47ae4790849336dd00e2ba6b2dd9b5ad', 'owner'),
    ('wall.retire_key(text)', 'f26b5b1501352d8797828a88171503b7', 'migrator'),
    ('wall.put_ticket(uuid,bigint,timestamp with time zone,bigint)',
        '77a3645e34fecf9d35166cd760fae9b9', 'app|worker')
)

SELECT rolname::text AS object, 'has an attribute that goes around the wall; ALTER ROLE … '
    'NOLOGIN if a hat, NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION' AS finding
FROM roles WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
    OR (hat AND rolcanlogin)
UNION ALL
SELECT r.rolname::text, format('is a member of %s; REVOKE it', m.roleid::regrole)
FROM pg_auth_members m JOIN roles r ON r.oid = m.member WHERE NOT (
    r.rolname = 'service_migrator' AND m.roleid IN (SELECT oid FROM roles WHERE hat)
    AND NOT m.admin_option)
UNION ALL
SELECT r.rolname::text, format('lends its rights to %s; REVOKE it', m.member::regrole)
FROM pg_auth_members m JOIN roles r ON r.oid = m.roleid JOIN pg_roles b ON b.oid = m.member
WHERE r.rolname <> 'service_readonly' AND NOT (b.rolsuper OR b.rolcreaterole)
    AND m.member NOT IN (SELECT oid FROM roles)
UNION ALL
SELECT coalesce(r.rolname, d.datname, 'every role')::text, 'has settings of its own for the wall, '
    'for row_security or for what loads at login; ALTER … RESET ALL'
FROM pg_db_role_setting s LEFT JOIN roles r ON r.oid = s.setrole
LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE (s.setrole = 0 OR r.oid IS NOT NULL) AND (s.setdatabase = 0 OR d.datname = current_database())
    AND array_to_string(s.setconfig, ' ') ~
        '(wall\.|row_security|search_path|preload|session_replication_role|(^| )role=)'
UNION ALL
SELECT p.parname, format('may be set by %s; REVOKE SET, ALTER SYSTEM ON PARAMETER',
    coalesce(r.rolname, 'PUBLIC'))
FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) a
LEFT JOIN roles r ON r.oid = a.grantee WHERE a.grantee = 0 OR r.oid IS NOT NULL
UNION ALL
SELECT t.name, hole.finding FROM tenant_tables t CROSS JOIN LATERAL (VALUES
    (proper IS NOT true,
     'has no tenant_id uuid NOT NULL; inherit TenantOwned, or say why it is global'),
    (stamp IS DISTINCT FROM 'wall.tenant()',
     'stamps rows with something else than wall.tenant(); set that DEFAULT on tenant_id'),
    (relpersistence <> 'p', 'is UNLOGGED and survives no crash; SET LOGGED'),
    (NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p'),
     'has no primary key; make it (tenant_id, id)'),
    (NOT EXISTS (SELECT FROM foreign_keys k
                 WHERE k.conrelid = t.oid AND k.target = 'registry' AND k.enclosed),
     'does not refer to tenants; add FOREIGN KEY (tenant_id) REFERENCES tenants (id)')
) hole (found, finding) WHERE hole.found
UNION ALL
SELECT name, format('has the index %s, which does not compare tenant_id first and so '
    'tells what others hold; put it first', i.indexrelid::regclass)
FROM pg_index i JOIN tenant_tables t ON t.oid = i.indrelid
WHERE (i.indisunique OR i.indisexclusion) AND (
    i.indkey[0] IS DISTINCT FROM t.tenant_id OR EXISTS (
        SELECT FROM pg_constraint k JOIN pg_operator o ON o.oid = k.conexclop[1]
        WHERE k.conindid = i.indexrelid AND o.oprname <> '='))
UNION ALL
SELECT k.name, format(hole.finding, k.conname) FROM foreign_keys k CROSS JOIN LATERAL (VALUES
    (kind <> 'tenant', 'is no tenant''s, but refers to a tenant''s rows by %s; drop it'),
    (kind = 'tenant' AND NOT enclosed, 'has the foreign key %s, which can point at another '
     'tenant''s row; make it (tenant_id, …) REFERENCES … (tenant_id, …)'),
    (confupdtype IN ('n', 'd') OR (
        confdeltype IN ('n', 'd') AND coalesce(conkey[1] = ANY (confdelsetcols), true)),
     'has the foreign key %s, which rewrites tenant_id; ON DELETE SET NULL (column) without it'),
    (NOT convalidated OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid
                                 AND g.tgenabled NOT IN ('O', 'A')),
     'has the foreign key %s, which nobody enforces; VALIDATE CONSTRAINT, ENABLE TRIGGER ALL')
) hole (found, finding) WHERE hole.found
UNION ALL
SELECT t.name, format('can be read through %s, past its policies; NO INHERIT', parent.name)
FROM pg_inherits i JOIN tenant_tables t ON t.oid = i.inhrelid
JOIN tables parent ON parent.oid = i.inhparent WHERE parent.kind <> 'tenant'
UNION ALL
SELECT name, format('has the policy %s, which is not canonical; drop it, wall.enclose()', polname)
FROM policies WHERE NOT canonical
UNION ALL
SELECT name, hole.finding FROM tables t CROSS JOIN LATERAL (VALUES
    (kind = 'global' AND EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id'),
     'is global and has a tenant_id all the same; drop the comment, SELECT wall.enclose()'),
    (walled AND NOT (relrowsecurity AND relforcerowsecurity), 'has no forced row-level security; '
     'ENABLE, FORCE ROW LEVEL SECURITY, or SELECT wall.enclose() if it is new'),
    (walled AND 2 <> (SELECT count(*) FROM policies p WHERE p.on_table = t.oid AND p.canonical),
     'lacks one of its two policies; SELECT wall.enclose()')
) hole (found, finding) WHERE hole.found
UNION ALL
SELECT name, CASE relkind
    WHEN 'v' THEN 'is a view that reads with its owner''s eyes; WITH (security_invoker = true)'
    ELSE 'is a materialized view or foreign table, which no policy guards; drop it' END
FROM relations WHERE relkind IN ('m', 'f') OR (relkind = 'v' AND NOT
    coalesce(reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false))
UNION ALL
SELECT 'large object ' || oid, 'is guarded by no policy; use a table' FROM pg_largeobject_metadata
UNION ALL
SELECT r.name, format('has the rule %s, which rewrites queries; drop it', w.rulename)
FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT f.name, hole.finding FROM functions f CROSS JOIN LATERAL (VALUES
    (nspname <> 'wall' AND prosecdef, 'runs with its owner''s rights; write SECURITY INVOKER'),
    (proleakproof, 'may see rows before the policy does; write NOT LEAKPROOF'),
    (provolatile = 'i' AND body ~* '(current_setting|wall\.)',
     'remembers one tenant for the next behind IMMUTABLE; write STABLE'),
    (NOT lanpltrusted AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = f.oid AND deptype = 'e'),
     'is written in a language that reaches past Postgres; write SQL or PL/pgSQL')
) hole (found, finding) WHERE hole.found
UNION ALL
SELECT coalesce(f.name, g.name), 'is missing, changed or no part of the wall; take the genuine one '
    'from migrations/chassis'
FROM (SELECT * FROM functions WHERE nspname = 'wall') f FULL JOIN genuine g ON g.name = f.name
WHERE g.print IS DISTINCT FROM f.print OR pg_get_userbyid(f.proowner) <> 'service_keeper'
UNION ALL
SELECT f.name, format('may be called by %s; REVOKE EXECUTE', coalesce(r.rolname, 'PUBLIC'))
FROM functions f JOIN genuine g ON g.name = f.name
CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> f.proowner
    AND (a.is_grantable OR coalesce(r.rolname, 'PUBLIC') !~ format('^service_(%s)$', callers))
UNION ALL
SELECT r.rolname::text, format('can use %s, which no policy guards; REVOKE it', o.name)
FROM roles r CROSS JOIN LATERAL (
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.proname ~ '^(pg_read_|pg_ls_|pg_stat_file|lo_import|lo_export)'
        AND has_function_privilege(r.oid, p.oid, 'EXECUTE') UNION ALL
    SELECT c.relname FROM pg_class c
    WHERE c.relname IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_authid')
        AND has_any_column_privilege(r.oid, c.oid, 'SELECT')) o (name) WHERE NOT r.rolsuper
UNION ALL
SELECT name, format('belongs to %s; ALTER … OWNER TO %s', pg_get_userbyid(owner), rightful)
FROM (SELECT name, relowner AS owner, rightful FROM relations WHERE relkind NOT IN ('i', 'I', 't')
      UNION ALL SELECT nspname, nspowner, rightful FROM schemas) o
WHERE pg_get_userbyid(owner) <> rightful
UNION ALL
SELECT g.name, format('grants %s to %s; REVOKE it', g.privilege_type, g.to_role)
FROM grants g LEFT JOIN allowed a ON a.kind = g.kind AND g.to_role = ANY (a.to_roles)
WHERE g.is_grantable OR g.to_role = 'PUBLIC' OR NOT CASE
    WHEN g.relkind = 'S' THEN g.privilege_type = 'USAGE'
    WHEN g.relkind = 'v' THEN g.privilege_type = 'SELECT'
    ELSE coalesce(g.privilege_type = ANY (a.privileges), false) END
UNION ALL
SELECT o.name, format('lets %s create objects; REVOKE CREATE, TEMPORARY', r.rolname)
FROM roles r CROSS JOIN LATERAL (
    SELECT n.nspname FROM schemas n WHERE has_schema_privilege(r.oid, n.oid, 'CREATE') UNION ALL
    SELECT datname FROM pg_database d WHERE datname = current_database()
        AND has_database_privilege(r.oid, d.oid, 'CREATE, TEMPORARY')) o (name)
WHERE r.serves AND NOT r.rolsuper
UNION ALL
SELECT coalesce(n.nspname, 'every schema')::text, format('grants future objects to %s; '
    'ALTER DEFAULT PRIVILEGES … REVOKE', coalesce(r.rolname, 'PUBLIC'))
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) a LEFT JOIN roles r ON r.oid = a.grantee AND r.serves
WHERE a.grantee = 0 OR r.oid IS NOT NULL
ORDER BY 1, 2
