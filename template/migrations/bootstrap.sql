-- Once per database, by an administrator, before the first migration; safe to repeat.
-- It creates the six roles and hands the database to them. Passwords are set apart from it:
--   ALTER ROLE service_app PASSWORD '…';
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['service_owner', 'service_keeper'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
    FOREACH role IN ARRAY ARRAY[
        'service_migrator', 'service_app', 'service_worker', 'service_readonly', 'service_system'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
    -- Owner and keeper are hats that only the migrator can put on.
    GRANT service_owner, service_keeper TO service_migrator;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('ALTER DATABASE %I SET timezone TO ''UTC''', current_database());
END $$;

-- An administrator that is not a superuser must be a member to hand a schema over.
GRANT service_owner, service_keeper TO CURRENT_USER;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO service_owner;
CREATE SCHEMA IF NOT EXISTS wall AUTHORIZATION service_keeper;
CREATE SCHEMA IF NOT EXISTS queue AUTHORIZATION service_keeper;
GRANT USAGE ON SCHEMA public, wall
    TO service_app, service_worker, service_readonly, service_system, service_migrator;
GRANT USAGE ON SCHEMA wall TO service_owner;
GRANT USAGE ON SCHEMA queue TO service_worker;
REVOKE service_owner, service_keeper FROM CURRENT_USER;
