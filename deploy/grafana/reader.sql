-- A login for dashboards that may read everything in this database and write nothing. For psql 14 and later, by
-- whoever may make logins; running it again sets the password anew. READER_PASSWORD is the environment's.
-- A server with other databases than the warehouse wants less: candlewick_analyst of roles.sql.
\set ON_ERROR_STOP on
\getenv password READER_PASSWORD
SELECT 'CREATE ROLE candlewick_reader LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'candlewick_reader')
\gexec
ALTER ROLE candlewick_reader PASSWORD :'password' CONNECTION LIMIT 8;
ALTER ROLE candlewick_reader SET default_transaction_read_only = on;
ALTER ROLE candlewick_reader SET statement_timeout = '30s';
GRANT pg_read_all_data TO candlewick_reader;
