-- Two roles for MindFlow's database: one owns the tables and migrates them, the other is the server's and may read and
-- change rows, but no table. Run it as a superuser, connected to MindFlow's own database; running it again is harmless.
--
--   createdb --encoding=UTF8 --template=template0 mindflow
--   psql --dbname=mindflow --file=deploy/postgres/roles.sql
--   psql --dbname=mindflow --command='\password mindflow_owner' --command='\password mindflow_app'

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['mindflow_owner', 'mindflow_app'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO mindflow_owner, mindflow_app', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO mindflow_owner;
GRANT USAGE ON SCHEMA public TO mindflow_app;

-- Tables that are there, and those that later migrations make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO mindflow_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO mindflow_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mindflow_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mindflow_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mindflow_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO mindflow_app;
