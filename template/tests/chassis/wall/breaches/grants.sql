-- Grants: on tables, columns, catalogues, schemas, databases, and on what does not exist yet.

--- TRUNCATE on children for service_app
-- owner > children > grants TRUNCATE to service_app
GRANT TRUNCATE ON children TO service_app;

--- REFERENCES on children for service_app
-- owner > children > grants REFERENCES to service_app
GRANT REFERENCES ON children TO service_app;

--- TRIGGER on children for service_app
-- owner > children > grants TRIGGER to service_app
GRANT TRIGGER ON children TO service_app;

--- SELECT on children for PUBLIC
-- owner > children > grants SELECT to PUBLIC
GRANT SELECT ON children TO PUBLIC;

--- SELECT on children for service_system
-- owner > children > grants SELECT to service_system
GRANT SELECT ON children TO service_system;

--- SELECT on children for service_migrator
-- owner > children > grants SELECT to service_migrator
GRANT SELECT ON children TO service_migrator;

--- INSERT on children for service_readonly
-- owner > children > grants INSERT to service_readonly
GRANT INSERT ON children TO service_readonly;

--- UPDATE (body) on children for service_readonly
-- owner > children > grants UPDATE to service_readonly
GRANT UPDATE (body) ON children TO service_readonly;

--- SELECT (id) on children for PUBLIC
-- owner > children > grants SELECT to PUBLIC
GRANT SELECT (id) ON children TO PUBLIC;

--- SELECT on children for service_app WITH GRANT OPTION
-- owner > children > grants SELECT to service_app
GRANT SELECT ON children TO service_app WITH GRANT OPTION;

--- UPDATE on audit_log for service_app
-- owner > audit_log > grants UPDATE to service_app
GRANT UPDATE ON audit_log TO service_app;

--- DELETE on audit_log for service_worker
-- owner > audit_log > grants DELETE to service_worker
GRANT DELETE ON audit_log TO service_worker;

--- UPDATE (detail) on audit_log for service_app
-- owner > audit_log > grants UPDATE to service_app
GRANT UPDATE (detail) ON audit_log TO service_app;

--- INSERT on audit_log for service_readonly
-- owner > audit_log > grants INSERT to service_readonly
GRANT INSERT ON audit_log TO service_readonly;

--- INSERT on tenants for service_app
-- owner > tenants > grants INSERT to service_app
GRANT INSERT ON tenants TO service_app;

--- UPDATE (name) on tenants for service_worker
-- owner > tenants > grants UPDATE to service_worker
GRANT UPDATE (name) ON tenants TO service_worker;

--- DELETE on tenants for service_system
-- owner > tenants > grants DELETE to service_system
GRANT DELETE ON tenants TO service_system;

--- SELECT on system_log for service_app
-- owner > system_log > grants SELECT to service_app
GRANT SELECT ON system_log TO service_app;

--- SELECT (reason) on system_log for service_worker
-- owner > system_log > grants SELECT to service_worker
GRANT SELECT (reason) ON system_log TO service_worker;

--- UPDATE on system_log for service_system
-- owner > system_log > grants UPDATE to service_system
GRANT UPDATE ON system_log TO service_system;

--- DELETE on system_log for service_system
-- owner > system_log > grants DELETE to service_system
GRANT DELETE ON system_log TO service_system;

--- UPDATE on currencies for service_app
-- owner > currencies > grants UPDATE to service_app
GRANT UPDATE ON currencies TO service_app;

--- INSERT on alembic_version for service_app
-- owner > alembic_version > grants INSERT to service_app
GRANT INSERT ON alembic_version TO service_app;

--- SELECT on wall.keys for service_app
-- keeper > wall.keys > grants SELECT to service_app
GRANT SELECT ON wall.keys TO service_app;

--- SELECT on wall.keys for service_owner
-- keeper > wall.keys > grants SELECT to service_owner
GRANT SELECT ON wall.keys TO service_owner;

--- SELECT (inner_pad) on wall.keys for PUBLIC
-- keeper > wall.keys > grants SELECT to PUBLIC
GRANT SELECT (inner_pad) ON wall.keys TO PUBLIC;

--- MAINTAIN for the app (since 17)
-- owner > children > grants MAINTAIN to service_app
GRANT MAINTAIN ON children TO service_app;

--- setval for the app
-- owner > counter > grants UPDATE to service_app
CREATE SEQUENCE counter;
GRANT UPDATE ON SEQUENCE counter TO service_app;

--- reading pg_statistic
-- administrator > service_app > which no policy guards; REVOKE it
GRANT SELECT ON pg_statistic TO service_app;

--- reading pg_authid
-- administrator > service_app > which no policy guards; REVOKE it
GRANT SELECT ON pg_authid TO service_app;

--- reading pg_largeobject
-- administrator > service_app > which no policy guards; REVOKE it
GRANT SELECT ON pg_largeobject TO service_app;

--- samples by column
-- administrator > service_app > which no policy guards; REVOKE it
GRANT SELECT (stavalues1) ON pg_statistic TO service_app;

--- files
-- administrator > service_app > which no policy guards; REVOKE it
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO service_app;

--- large objects from files
-- administrator > service_app > which no policy guards; REVOKE it
GRANT EXECUTE ON FUNCTION lo_import(text) TO service_app;

--- CREATE on public
-- owner > public > lets service_app create objects
GRANT CREATE ON SCHEMA public TO service_app;

--- CREATE on the wall
-- keeper > wall > lets service_worker create objects
GRANT CREATE ON SCHEMA wall TO service_worker;

--- CREATE on the database
-- administrator > {} > lets service_app create
GRANT CREATE ON DATABASE {} TO service_app;

--- TEMP for everyone
-- administrator > {} > lets service_app create
GRANT TEMPORARY ON DATABASE {} TO PUBLIC;

--- a database with a search_path
-- administrator > {} > has settings of its own for the wall
ALTER DATABASE {} SET search_path = evil;

--- future tables for the app
-- owner > public > grants future objects to service_app
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO service_app;

--- future tables for everyone
-- owner > every schema > grants future objects to PUBLIC
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;

--- SELECT on the queue for service_app
-- keeper > queue.procrastinate_jobs > grants SELECT to service_app
GRANT SELECT ON queue.procrastinate_jobs TO service_app;

--- INSERT on the queue for service_system
-- keeper > queue.procrastinate_jobs > grants INSERT to service_system
GRANT INSERT ON queue.procrastinate_jobs TO service_system;

--- TRUNCATE on the queue for service_worker
-- keeper > queue.procrastinate_jobs > grants TRUNCATE to service_worker
GRANT TRUNCATE ON queue.procrastinate_jobs TO service_worker;
