#!/bin/sh
# A database and its owner for each line of the password file: host:port:database:user:password
set -eu
while IFS=: read -r _ _ database user password; do
  psql -v ON_ERROR_STOP=1 -v user="$user" -v database="$database" -v password="$password" -U postgres <<'END'
CREATE ROLE :"user" LOGIN PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"user";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
END
done <"${PGPASS_OF_HEDUI:-/run/secrets/pgpass_postgres}"
