-- Policies: each looks almost like the canonical one.

--- a policy with a tautology
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = tenant_id) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with true
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (true)
    WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with OR true
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant()) OR true) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with OR null
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant()) OR tenant_id IS NULL) WITH CHECK (tenant_id = (SELECT
    wall.tenant()));

--- a policy with a back door for the unbound
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant()) OR (SELECT wall.tenant()) IS NULL) WITH CHECK (tenant_id = (SELECT
    wall.tenant()));

--- a policy with a back door by setting
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant()) OR current_setting('app.support', true) = 'on') WITH CHECK (tenant_id
    = (SELECT wall.tenant()));

--- a policy with the wrong column
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (id =
    (SELECT wall.tenant())) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with a cast
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING
    (tenant_id::text = (SELECT wall.tenant())::text) WITH CHECK (tenant_id = (SELECT
    wall.tenant()));

--- a policy with a function for each row
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = wall.tenant()) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with a plain setting
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = current_setting('app.tenant', true)::uuid) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with NOT DISTINCT
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    IS NOT DISTINCT FROM (SELECT wall.tenant())) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with an inequality
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    <= (SELECT wall.tenant())) WITH CHECK (tenant_id = (SELECT wall.tenant()));

--- a policy with a null fallback
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = coalesce((SELECT wall.tenant()), tenant_id)) WITH CHECK (tenant_id = (SELECT
    wall.tenant()));

--- a policy with no check of writes
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant())) WITH CHECK (true);

--- a policy with a weak check of writes
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant())) WITH CHECK (tenant_id IS NOT NULL);

--- a policy that calls an operator of ours
-- owner > children > is not canonical
CREATE FUNCTION same(uuid, uuid) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';
CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = same);
SET LOCAL search_path = public, pg_catalog;
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children TO service_app, service_worker, service_readonly USING (tenant_id
    = (SELECT wall.tenant())) WITH CHECK (tenant_id = (SELECT wall.tenant()));
SET LOCAL search_path = public;

--- a policy for everyone
-- owner > children > is not canonical
ALTER POLICY tenant ON children TO PUBLIC;

--- a policy for the system too
-- owner > children > is not canonical
ALTER POLICY tenant ON children TO service_app, service_worker, service_readonly, service_system;

--- an extra policy
-- owner > children > is not canonical
CREATE POLICY support ON children FOR SELECT USING (true);

--- an extra policy for deletes
-- owner > children > is not canonical
CREATE POLICY cleanup ON children FOR DELETE USING (true);

--- a policy for reads only
-- owner > children > is not canonical
DROP POLICY tenant ON children;
CREATE POLICY tenant ON children FOR SELECT TO service_app, service_worker, service_readonly USING
    (tenant_id = (SELECT wall.tenant()));

--- a renamed policy
-- owner > children > is not canonical
ALTER POLICY tenant ON children RENAME TO tenants;

--- no floor
-- owner > children > lacks one of its two policies
DROP POLICY floor ON children;

--- no policy at all
-- owner > children > lacks one of its two policies
DROP POLICY floor ON children;
DROP POLICY tenant ON children;

--- a permissive floor
-- owner > children > is not canonical
DROP POLICY floor ON children;
CREATE POLICY floor ON children USING (tenant_id = (SELECT wall.tenant())) WITH CHECK (tenant_id =
    (SELECT wall.tenant()));

--- a floor for some
-- owner > children > is not canonical
ALTER POLICY floor ON children TO service_app, service_worker, service_readonly;

--- a floor of true
-- owner > children > is not canonical
ALTER POLICY floor ON children USING (true) WITH CHECK (true);

--- no FORCE
-- owner > children > has no forced row-level security
ALTER TABLE children NO FORCE ROW LEVEL SECURITY;

--- no row security
-- owner > children > has no forced row-level security
ALTER TABLE children DISABLE ROW LEVEL SECURITY;

--- the registry unforced
-- owner > tenants > has no forced row-level security
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;

--- the registry open to the app
-- owner > tenants > is not canonical
ALTER POLICY tenant ON tenants USING (true);

--- the system's door for the app
-- owner > tenants > is not canonical
ALTER POLICY system ON tenants TO service_system, service_app;

--- the registry writable by its tenant
-- owner > tenants > is not canonical
CREATE POLICY rename ON tenants FOR UPDATE TO service_app USING (id = (SELECT wall.tenant()));
