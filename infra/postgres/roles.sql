-- The database, and for each service and the dashboard its schema and its two roles: one that migrates and owns the schema, one
-- that works in it and sees no other. Beside them the auditor, who reads what the migrations of all grant it. Run by a superuser with psql; running it again changes nothing but
-- passwords. Tables are granted by the migrations that make them: there are no default privileges here.
--
-- Passwords come as psql variables (order_service_password, …) or in the environment, never on a command line.

\set ON_ERROR_STOP on
\set QUIET on

\getenv order_service_password QUARTET_ORDER_SERVICE_PASSWORD
\getenv order_migrator_password QUARTET_ORDER_MIGRATOR_PASSWORD
\getenv inventory_service_password QUARTET_INVENTORY_SERVICE_PASSWORD
\getenv inventory_migrator_password QUARTET_INVENTORY_MIGRATOR_PASSWORD
\getenv payment_service_password QUARTET_PAYMENT_SERVICE_PASSWORD
\getenv payment_migrator_password QUARTET_PAYMENT_MIGRATOR_PASSWORD
\getenv notification_service_password QUARTET_NOTIFICATION_SERVICE_PASSWORD
\getenv notification_migrator_password QUARTET_NOTIFICATION_MIGRATOR_PASSWORD
\getenv dashboard_service_password QUARTET_DASHBOARD_SERVICE_PASSWORD
\getenv dashboard_migrator_password QUARTET_DASHBOARD_MIGRATOR_PASSWORD
\getenv auditor_password QUARTET_AUDITOR_PASSWORD

SELECT 'CREATE DATABASE quartet' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'quartet') \gexec
\connect quartet

-- A statement that fails must not leave a password in the server's log.
SET log_min_error_statement = panic;
SET client_min_messages = warning;

BEGIN;
CREATE TEMPORARY TABLE roles ON COMMIT DROP AS
SELECT service, kind, service || '_' || kind AS role, service || '_service' AS schema
FROM unnest(ARRAY['order', 'inventory', 'payment', 'notification', 'dashboard']) AS service,
     unnest(ARRAY['service', 'migrator']) AS kind
UNION ALL SELECT NULL, 'auditor', 'auditor', NULL;

SELECT format('CREATE ROLE %I', role) FROM roles
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role)
FROM roles \gexec

SELECT format('ALTER ROLE %I PASSWORD %L', role, password) FROM (VALUES
    ('order_service', :'order_service_password'),
    ('order_migrator', :'order_migrator_password'),
    ('inventory_service', :'inventory_service_password'),
    ('inventory_migrator', :'inventory_migrator_password'),
    ('payment_service', :'payment_service_password'),
    ('payment_migrator', :'payment_migrator_password'),
    ('notification_service', :'notification_service_password'),
    ('notification_migrator', :'notification_migrator_password'),
    ('dashboard_service', :'dashboard_service_password'),
    ('dashboard_migrator', :'dashboard_migrator_password'),
    ('auditor', :'auditor_password')
) AS given (role, password) \gexec

-- Nobody gets in, or at anything, by being anybody.
REVOKE ALL ON DATABASE quartet, postgres, template1 FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('GRANT CONNECT ON DATABASE quartet TO %I', role) FROM roles \gexec

-- A service finds its schema as "$user", the first entry of the default search_path.
SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', schema, role)
FROM roles WHERE kind = 'migrator' \gexec
SELECT format('ALTER ROLE %I SET search_path = %I', role, schema) FROM roles WHERE kind = 'migrator' \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', schema, role) FROM roles WHERE kind = 'service' \gexec

-- The last bounds: the services' own timeouts are shorter, and these end what has escaped them.
SELECT format('ALTER ROLE %I SET %s', role, setting)
FROM roles, unnest(ARRAY['lock_timeout = ''5s''',
                         'idle_in_transaction_session_timeout = ''30s''',
                         'statement_timeout = ''10s''']) AS setting
WHERE kind = 'service' \gexec
ALTER ROLE auditor SET default_transaction_read_only = on;
ALTER ROLE auditor SET lock_timeout = '5s';
ALTER ROLE auditor SET idle_in_transaction_session_timeout = '60s';  -- its snapshot keeps dead rows from going
ALTER ROLE auditor SET statement_timeout = '30s';
COMMIT;
