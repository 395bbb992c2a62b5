#!/usr/bin/env bash
# Writes the settings of a new installation, with secrets made here and now. Nothing that is there is overwritten, and
# only its owner can read what is written.
#
#   deploy/env.sh --url https://mindflow.example.org FILE
#       settings for systemd, with SQLite in the data folder
#   deploy/env.sh --url https://mindflow.example.org --postgres HOST[:PORT]/DATABASE FILE
#       the same with PostgreSQL: the server's role in FILE, the role that owns the tables in migrate.env beside it, and
#       passwords.sql, which gives the two roles their passwords (deploy/postgres/roles.sql makes them)
#   deploy/env.sh --url https://mindflow.example.org --compose FOLDER
#       .env and secrets/ for deploy/compose.production.yaml
set -euo pipefail
umask 077

usage() {
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0" >&2
    exit 2
}

fail() {
    printf 'env.sh: %s\n' "$*" >&2
    exit 1
}

# secret: 64 hexadecimal digits from the kernel.
secret() {
    local text
    text=$(od -An -N32 -v -tx1 /dev/urandom | tr -d ' \n')
    [ "${#text}" = 64 ] || fail "/dev/urandom gave too little"
    printf '%s' "$text"
}

# write FILE MODE: writes standard input to a new file; one that exists is an error, also when two do this at once.
write() {
    set -o noclobber
    cat >"$1" || fail "$1 is there already, or cannot be written"
    set +o noclobber
    chmod "$2" "$1"
}

# settings URL DATABASE_LINES: what every installation has. The values are those of now: the heredoc is not quoted.
settings() {
    cat <<ENV
# Made by deploy/env.sh. mindflow.example.toml lists every setting.
ENVIRONMENT=production
PUBLIC_URL=$1
HOST=127.0.0.1
PORT=8000
# The proxy on this machine says who the client is.
MINDFLOW__SERVER__TRUSTED_PROXIES=127.0.0.1,::1
MINDFLOW__SERVER__PROXY_HEADER=x-forwarded-for
# open, invite or closed
REGISTRATION=invite
# Seals signing keys and second factors. Without it they are lost: keep a copy elsewhere.
SECRET_KEY=$(secret)
$2
# Mail: without it nobody can choose a new password by mail.
#SMTP_HOST=
#SMTP_PORT=587
#SMTP_USER=
#SMTP_PASSWORD=
#SENTRY_DSN=
ENV
}

for_systemd() {
    local file=$1 folder app owner
    folder=$(dirname "$file")
    if [ -z "$postgres" ]; then
        settings "$url" '# The database is SQLite, in the data folder (DATA_DIR, set by the unit).' | write "$file" 600
        return
    fi
    for other in "$file" "$folder/migrate.env" "$folder/passwords.sql"; do
        [ ! -e "$other" ] || fail "$other is there already"
    done
    app=$(secret)
    owner=$(secret)
    settings "$url" "DATABASE_URL=postgres://mindflow_app:$app@$postgres
# mindflow migrate up does it, as another role (migrate.env).
MINDFLOW__STORAGE__MIGRATE_ON_START=false" | write "$file" 600
    printf 'DATABASE_URL=postgres://mindflow_owner:%s@%s\n' "$owner" "$postgres" | write "$folder/migrate.env" 600
    printf "ALTER ROLE mindflow_app PASSWORD '%s';\nALTER ROLE mindflow_owner PASSWORD '%s';\n" "$app" "$owner" |
        write "$folder/passwords.sql" 600
    printf 'Run %s once as a superuser of PostgreSQL, then remove it.\n' "$folder/passwords.sql" >&2
}

# Compose mounts the files of secrets as they are, and the user of a container must be able to read its own: so the files
# are readable, and the folder that they lie in is closed.
for_compose() {
    local folder=$1 secrets owner app host
    host=${url#https://}
    host=${host%%[/:]*}
    secrets=$folder/secrets
    [ ! -e "$folder/.env" ] || fail "$folder/.env is there already"
    mkdir -p "$folder"
    mkdir "$secrets" || fail "$secrets is there already"
    owner=$(secret)
    app=$(secret)
    secret | write "$secrets/secret_key" 444
    secret | write "$secrets/postgres_password" 444
    printf '%s' "$owner" | write "$secrets/owner_password" 444
    printf '%s' "$app" | write "$secrets/app_password" 444
    printf 'postgres://mindflow_owner:%s@postgres/mindflow' "$owner" | write "$secrets/database_url_owner" 444
    printf 'postgres://mindflow_app:%s@postgres/mindflow' "$app" | write "$secrets/database_url" 444
    write "$folder/.env" 600 <<ENV
# Made by deploy/env.sh, for: docker compose --env-file $folder/.env -f deploy/compose.production.yaml
COMPOSE_PROJECT_NAME=mindflow
PUBLIC_URL=$url
MINDFLOW_SECRETS=$(cd "$secrets" && pwd)
MINDFLOW_IMAGE=${MINDFLOW_IMAGE:-mindflow:latest}
ACME_EMAIL=${ACME_EMAIL:-admin@$host}
REGISTRATION=invite
#SMTP_HOST=
#SMTP_PORT=587
#SMTP_USER=
#SMTP_PASSWORD=
ENV
}

url='' postgres='' compose='' file=''
while [ $# -gt 0 ]; do
    case $1 in
    --url | --postgres | --compose)
        [ $# -ge 2 ] || usage
        declare "${1#--}=$2"
        shift 2
        ;;
    -*) usage ;;
    *)
        [ -z "$file" ] || usage
        file=$1
        shift
        ;;
    esac
done

case $url in
https://*[!a-zA-Z0-9./:-]* | https://) fail "\`$url\` is no address of a server" ;;
https://*) url=${url%/} ;;
*) fail "--url must be the https:// address that clients use" ;;
esac
case $postgres in
*[!a-zA-Z0-9._:/?=\&-]*) fail "\`$postgres\` is not HOST[:PORT]/DATABASE" ;;
'' | */?*) ;;
*) fail "--postgres takes HOST[:PORT]/DATABASE" ;;
esac

if [ -n "$compose" ] && [ -z "$file$postgres" ]; then
    for_compose "$compose"
elif [ -n "$file" ] && [ -z "$compose" ]; then
    for_systemd "$file"
else
    usage
fi
