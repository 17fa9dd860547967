-- Keys, columns and places of tables: what a migration gets wrong.

--- a unique key for all
-- owner > children > does not compare tenant_id first
CREATE UNIQUE INDEX wrong ON children (body);

--- a unique key led by another
-- owner > children > does not compare tenant_id first
ALTER TABLE children ADD UNIQUE (body, tenant_id);

--- a unique expression
-- owner > children > does not compare tenant_id first
CREATE UNIQUE INDEX wrong ON children (lower(body));

--- a partial unique key
-- owner > children > does not compare tenant_id first
CREATE UNIQUE INDEX wrong ON children (id) WHERE body = '';

--- an exclusion for all
-- owner > children > does not compare tenant_id first
ALTER TABLE children ADD EXCLUDE USING btree (body WITH =);

--- an exclusion of other tenants
-- administrator > children > does not compare tenant_id first
CREATE EXTENSION btree_gist;
ALTER TABLE children ADD EXCLUDE USING gist (tenant_id WITH <>, body WITH =);

--- a primary key for all
-- owner > children > does not compare tenant_id first
ALTER TABLE children DROP CONSTRAINT children_pkey, ADD PRIMARY KEY (id);

--- no primary key
-- owner > children > has no primary key
ALTER TABLE children DROP CONSTRAINT children_pkey;

--- a foreign key on one column
-- owner > children > can point at another tenant's row > and parents
ALTER TABLE parents ADD CONSTRAINT plain UNIQUE (tenant_id, slug, id);
CREATE UNIQUE INDEX ids ON parents (id);
ALTER TABLE children ADD CONSTRAINT wrong FOREIGN KEY (parent_id) REFERENCES parents (id);

--- a foreign key to any tenant
-- owner > children > can point at another tenant's row
ALTER TABLE children ADD friend uuid REFERENCES tenants (id);

--- a foreign key not validated
-- owner > children > which nobody enforces
ALTER TABLE children ADD CONSTRAINT wrong FOREIGN KEY (tenant_id, id) REFERENCES parents NOT
    VALID;

--- a foreign key not enforced (since 18)
-- owner > children > which nobody enforces
ALTER TABLE children ADD CONSTRAINT wrong FOREIGN KEY (tenant_id, id) REFERENCES parents NOT
    ENFORCED;

--- foreign keys switched off
-- administrator > children > which nobody enforces
ALTER TABLE children DISABLE TRIGGER ALL;

--- SET NULL of all columns
-- owner > children > which rewrites tenant_id
ALTER TABLE children ADD CONSTRAINT wrong FOREIGN KEY (tenant_id, parent_id) REFERENCES parents ON
    DELETE SET NULL;

--- SET DEFAULT on update
-- owner > children > which rewrites tenant_id
ALTER TABLE children ADD CONSTRAINT wrong FOREIGN KEY (tenant_id, parent_id) REFERENCES parents ON
    UPDATE SET DEFAULT;

--- no link to the tenants
-- owner > children > does not refer to tenants
ALTER TABLE children DROP CONSTRAINT children_tenant_id_fkey;

--- a global table that names a tenant
-- owner > currencies > but refers to a tenant's rows by
ALTER TABLE currencies ADD owner uuid REFERENCES tenants (id);

--- a global table that names a row
-- owner > currencies > but refers to a tenant's rows by
ALTER TABLE currencies ADD t uuid, ADD p uuid, ADD FOREIGN KEY (t, p) REFERENCES parents;

--- no DEFAULT
-- owner > children > stamps rows with something else
ALTER TABLE children ALTER tenant_id DROP DEFAULT;

--- a fixed DEFAULT
-- owner > children > stamps rows with something else
ALTER TABLE children ALTER tenant_id SET DEFAULT '00000000-0000-0000-0000-000000000000';

--- a random DEFAULT
-- owner > children > stamps rows with something else
ALTER TABLE children ALTER tenant_id SET DEFAULT gen_random_uuid();

--- a nullable tenant_id
-- owner > children > has no tenant_id uuid NOT NULL
ALTER TABLE children DROP CONSTRAINT children_pkey, ALTER tenant_id DROP NOT NULL;

--- a table for nobody
-- owner > loose > has no tenant_id uuid NOT NULL
CREATE TABLE loose (id uuid PRIMARY KEY);

--- a text tenant_id
-- owner > loose > has no tenant_id uuid NOT NULL
CREATE TABLE loose (tenant_id text PRIMARY KEY);

--- a table copied
-- owner > loose > has no forced row-level security
CREATE TABLE loose AS SELECT * FROM children;

--- a table in another schema
-- owner > elsewhere.loose > has no forced row-level security
CREATE TABLE elsewhere.loose (LIKE children);

--- a comment without a reason
-- owner > currencies > has no tenant_id uuid NOT NULL
COMMENT ON TABLE currencies IS 'global: ';

--- a global table with tenants
-- owner > currencies > is global and has a tenant_id
ALTER TABLE currencies ADD tenant_id uuid;

--- a comment that opens a table
-- owner > children > is global and has a tenant_id
COMMENT ON TABLE children IS 'global: handy';

--- UNLOGGED
-- owner > children > is UNLOGGED
ALTER TABLE children SET UNLOGGED;

--- a partition left out
-- owner > events_0 > has no forced row-level security > and events
CREATE TABLE events (LIKE parents INCLUDING DEFAULTS) PARTITION BY HASH (tenant_id);
CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT wall.enclose('events');

--- a child table left out
-- owner > heir > has no forced row-level security
CREATE TABLE heir () INHERITS (children);

--- a global window by inheritance
-- owner > children > can be read through window_
CREATE TABLE window_ (body text);
COMMENT ON TABLE window_ IS 'global: a window';
SELECT wall.share('window_');
ALTER TABLE children INHERIT window_;

--- a table of the app
-- administrator > children > belongs to service_app
ALTER TABLE children OWNER TO service_app;

--- a table of the administrator
-- administrator > children > belongs to postgres
ALTER TABLE children OWNER TO postgres;

--- keys of the owner
-- administrator > wall.keys > belongs to service_owner
ALTER TABLE wall.keys OWNER TO service_owner;

--- a schema of the app
-- administrator > own > belongs to service_system
CREATE SCHEMA own AUTHORIZATION service_system;
REVOKE ALL ON SCHEMA own FROM service_system;

--- a wall of the owner
-- administrator > wall > belongs to service_owner
ALTER SCHEMA wall OWNER TO service_owner;
