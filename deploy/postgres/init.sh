#!/bin/sh
# Run once by the PostgreSQL image, when it makes its cluster: MindFlow's two roles and their passwords, from secrets.
set -eu

sql() { psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"; }

sql --file="${ROLES_SQL:-/docker-entrypoint-initdb.d/roles/roles.sql}"
# From standard input and as variables, so that no list of processes and no quote gets in the way.
sql <<SQL
\\set owner_password \`cat ${SECRETS:-/run/secrets}/owner_password\`
\\set app_password \`cat ${SECRETS:-/run/secrets}/app_password\`
ALTER ROLE mindflow_owner PASSWORD :'owner_password';
ALTER ROLE mindflow_app PASSWORD :'app_password';
SQL
