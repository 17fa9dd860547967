-- Roles: attributes, memberships and settings that make one more than it should be.

--- SUPERUSER service_app
-- administrator > service_app > has an attribute that goes around the wall
ALTER ROLE service_app SUPERUSER;

--- BYPASSRLS service_app
-- administrator > service_app > has an attribute that goes around the wall
ALTER ROLE service_app BYPASSRLS;

--- CREATEROLE service_app
-- administrator > service_app > has an attribute that goes around the wall
ALTER ROLE service_app CREATEROLE;

--- CREATEDB service_app
-- administrator > service_app > has an attribute that goes around the wall
ALTER ROLE service_app CREATEDB;

--- REPLICATION service_app
-- administrator > service_app > has an attribute that goes around the wall
ALTER ROLE service_app REPLICATION;

--- BYPASSRLS service_worker
-- administrator > service_worker > has an attribute that goes around the wall
ALTER ROLE service_worker BYPASSRLS;

--- BYPASSRLS service_readonly
-- administrator > service_readonly > has an attribute that goes around the wall
ALTER ROLE service_readonly BYPASSRLS;

--- BYPASSRLS service_system
-- administrator > service_system > has an attribute that goes around the wall
ALTER ROLE service_system BYPASSRLS;

--- SUPERUSER service_migrator
-- administrator > service_migrator > has an attribute that goes around the wall
ALTER ROLE service_migrator SUPERUSER;

--- LOGIN service_owner
-- administrator > service_owner > has an attribute that goes around the wall
ALTER ROLE service_owner LOGIN;

--- BYPASSRLS service_owner
-- administrator > service_owner > has an attribute that goes around the wall
ALTER ROLE service_owner BYPASSRLS;

--- LOGIN service_keeper
-- administrator > service_keeper > has an attribute that goes around the wall
ALTER ROLE service_keeper LOGIN;

--- service_app in service_owner
-- administrator > service_app > is a member of service_owner > and public, elsewhere
GRANT service_owner TO service_app;

--- service_app in service_keeper
-- administrator > service_app > is a member of service_keeper > and queue, wall
GRANT service_keeper TO service_app;

--- service_app in service_system
-- administrator > service_app > is a member of service_system
GRANT service_system TO service_app;

--- service_worker in service_migrator
-- administrator > service_worker > is a member of service_migrator > and public, queue, wall, elsewhere
GRANT service_migrator TO service_worker;

--- service_readonly in service_app
-- administrator > service_readonly > is a member of service_app
GRANT service_app TO service_readonly;

--- service_owner in service_keeper
-- administrator > service_owner > is a member of service_keeper
GRANT service_keeper TO service_owner;

--- service_app in pg_read_all_data
-- administrator > service_app > is a member of pg_read_all_data
GRANT pg_read_all_data TO service_app;

--- service_app in pg_read_server_files
-- administrator > service_app > is a member of pg_read_server_files
GRANT pg_read_server_files TO service_app;

--- service_worker in pg_execute_server_program
-- administrator > service_worker > is a member of pg_execute_server_program
GRANT pg_execute_server_program TO service_worker;

--- service_readonly in pg_monitor
-- administrator > service_readonly > is a member of pg_monitor
GRANT pg_monitor TO service_readonly;

--- the migrator may pass the owner on
-- administrator > service_migrator > is a member of service_owner
GRANT service_owner TO service_migrator WITH ADMIN OPTION;

--- the app in the owner by a detour
-- administrator > service_app > is a member of detour > and public, elsewhere, service_owner
CREATE ROLE detour;
GRANT service_owner TO detour;
GRANT detour TO service_app;

--- an intern in service_owner
-- administrator > service_owner > lends its rights to intern
CREATE ROLE intern;
GRANT service_owner TO intern;

--- an intern in service_keeper
-- administrator > service_keeper > lends its rights to intern
CREATE ROLE intern;
GRANT service_keeper TO intern;

--- an intern in service_system
-- administrator > service_system > lends its rights to intern
CREATE ROLE intern;
GRANT service_system TO intern;

--- an intern in service_app
-- administrator > service_app > lends its rights to intern
CREATE ROLE intern;
GRANT service_app TO intern;

--- a setting row_security = off
-- administrator > service_app > has settings of its own for the wall
ALTER ROLE service_app SET row_security = off;

--- a setting search_path = evil, public
-- administrator > service_app > has settings of its own for the wall
ALTER ROLE service_app SET search_path = evil, public;

--- a setting wall.capability = 'k1|x|9|9|f'
-- administrator > service_app > has settings of its own for the wall
ALTER ROLE service_app SET wall.capability = 'k1|x|9|9|f';

--- a setting session_replication_role = replica
-- administrator > service_app > has settings of its own for the wall
ALTER ROLE service_app SET session_replication_role = replica;

--- a setting session_preload_libraries = 'auto_explain'
-- administrator > service_app > has settings of its own for the wall
ALTER ROLE service_app SET session_preload_libraries = 'auto_explain';

--- a capability for every role
-- administrator > every role > has settings of its own for the wall
ALTER ROLE ALL SET wall.capability = 'x';

--- triggers off by right
-- administrator > session_replication_role > may be set by service_app
GRANT SET ON PARAMETER session_replication_role TO service_app;

--- a preloaded library for everyone
-- administrator > session_preload_libraries > may be set by PUBLIC
GRANT SET ON PARAMETER session_preload_libraries TO PUBLIC;
