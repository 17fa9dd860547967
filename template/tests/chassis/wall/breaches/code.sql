-- Views, rules, functions, objects outside tables, and the wall's own code tampered with.

--- a view
-- owner > seen > reads with its owner's eyes
CREATE VIEW seen AS SELECT * FROM children;

--- a view that turned
-- owner > seen > reads with its owner's eyes
CREATE VIEW seen WITH (security_invoker) AS SELECT * FROM children;
ALTER VIEW seen SET (security_invoker = false);

--- a view of the administrator
-- administrator > seen > belongs to postgres
CREATE VIEW seen WITH (security_invoker = true) AS SELECT 1;

--- a view where nobody looks
-- administrator > information_schema.seen > reads with its owner's eyes
CREATE VIEW information_schema.seen AS SELECT * FROM public.children;

--- a view for everyone
-- owner > seen > grants SELECT to PUBLIC
CREATE VIEW seen WITH (security_invoker = true) AS SELECT 1;
GRANT SELECT ON seen TO PUBLIC;

--- a materialized view
-- owner > seen > is a materialized view or foreign table
CREATE MATERIALIZED VIEW seen AS SELECT * FROM currencies;

--- a foreign table
-- administrator > seen > is a materialized view or foreign table
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE seen (line text) SERVER files OPTIONS (filename 'x');
ALTER FOREIGN TABLE seen OWNER TO service_owner;

--- a large object
-- service_app > large object 4711 > is guarded by no policy; use a table
SELECT lo_create(4711);

--- a rule
-- owner > children > which rewrites queries
CREATE RULE astray AS ON INSERT TO children DO ALSO DELETE FROM parents;

--- a rule on a view
-- owner > seen > which rewrites queries
CREATE VIEW seen WITH (security_invoker = true) AS SELECT * FROM children;
CREATE RULE astray AS ON UPDATE TO seen DO INSTEAD DELETE FROM children;

--- SECURITY DEFINER
-- administrator > helper() > runs with its owner's rights
CREATE FUNCTION helper() RETURNS SETOF children LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM
    children';

--- a trigger with rights
-- owner > helper() > runs with its owner's rights
CREATE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN new;
    END';
CREATE TRIGGER copy AFTER INSERT ON children FOR EACH ROW EXECUTE FUNCTION helper();

--- a procedure with rights
-- owner > helper() > runs with its owner's rights
CREATE PROCEDURE helper() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';

--- rights where nobody looks
-- administrator > helper() > runs with its owner's rights
CREATE FUNCTION pg_catalog.helper() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';

--- LEAKPROOF
-- administrator > helper() > may see rows before the policy does
CREATE FUNCTION helper() RETURNS boolean LANGUAGE plpgsql LEAKPROOF AS 'BEGIN RETURN true; END';

--- an IMMUTABLE setting
-- administrator > helper() > remembers one tenant for the next
CREATE FUNCTION helper() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT current_setting('a.b')$$;

--- an IMMUTABLE tenant
-- administrator > helper() > remembers one tenant for the next
CREATE FUNCTION helper() RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN wall.tenant();
    END';

--- an IMMUTABLE tenant in standard SQL
-- administrator > helper() > remembers one tenant for the next
CREATE FUNCTION helper() RETURNS uuid LANGUAGE sql IMMUTABLE RETURN wall.tenant();

--- a function of the server's
-- administrator > helper() > reaches past Postgres
CREATE FUNCTION helper() RETURNS text LANGUAGE internal AS 'pg_backend_pid';

--- a capability unverified
-- keeper > wall.tenant() > is missing, changed or no part of the wall
CREATE OR REPLACE FUNCTION wall.tenant() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
    PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN
    split_part(current_setting('wall.capability'), '|', 2)::uuid; END $$;

--- a VOLATILE tenant
-- keeper > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() VOLATILE;

--- an IMMUTABLE wall
-- keeper > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() IMMUTABLE;

--- a parallel tenant
-- keeper > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() PARALLEL SAFE;

--- a tenant without a search_path
-- keeper > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() RESET ALL;

--- a tenant of the caller
-- keeper > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() SECURITY INVOKER;

--- no tripwire
-- keeper > wall.bind(text) > is missing, changed or no part of the wall
CREATE OR REPLACE FUNCTION wall.bind(capability text) RETURNS void LANGUAGE plpgsql SET
    search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM set_config('wall.capability',
    capability, true); END $$;

--- a binding that skips NULL
-- keeper > wall.bind(text) > is missing, changed or no part of the wall
ALTER FUNCTION wall.bind(text) STRICT;

--- one function more
-- keeper > wall.peek() > is missing, changed or no part of the wall
CREATE FUNCTION wall.peek() RETURNS SETOF wall.keys LANGUAGE sql SECURITY DEFINER AS 'SELECT *
    FROM wall.keys';
REVOKE ALL ON FUNCTION wall.peek() FROM PUBLIC;

--- one function less
-- keeper > wall.retire_key(text) > is missing, changed or no part of the wall
DROP FUNCTION wall.retire_key(text);

--- a tenant of the administrator
-- administrator > wall.tenant() > is missing, changed or no part of the wall
ALTER FUNCTION wall.tenant() OWNER TO postgres;

--- a LEAKPROOF tenant
-- administrator > wall.tenant() > may see rows before the policy does
ALTER FUNCTION wall.tenant() LEAKPROOF;

--- keys installed by the app
-- keeper > wall.install_key(text,bytea,bytea) > may be called by service_app
GRANT EXECUTE ON FUNCTION wall.install_key TO service_app;

--- keys retired by everyone
-- keeper > wall.retire_key(text) > may be called by PUBLIC
GRANT EXECUTE ON FUNCTION wall.retire_key TO PUBLIC;

--- a tenant for the system
-- keeper > wall.tenant() > may be called by service_system
GRANT EXECUTE ON FUNCTION wall.tenant() TO service_system;
