#!/usr/bin/env bash
# Puts a release of MindFlow on this machine, and takes it back when it does not work.
#
#   deploy/release.sh deploy FOLDER_OR_ARCHIVE   a folder, or a .tar.gz, with `mindflow` (and usually policies/, docs/) in it
#   deploy/release.sh rollback                   back to the release before
#   deploy/release.sh status                     what runs, and what was before
#
# A deployment, in this order:
#   1. the release is put beside the one that runs, and its program tried;
#   2. the database is backed up;
#   3. the NEW program migrates while the OLD one goes on (migrations work under the program before them). When one fails,
#      those before it are taken back, and nothing else has happened;
#   4. `current` points to the new release, and the server restarts;
#   5. it must be ready within WAIT seconds. When it is not, it is rolled back.
# Rolling back: first the OLD program runs again (it works on the newer schema), then the NEW program, which alone knows
# how, takes its migrations back. What was written into tables and columns that only they have is lost with them.
#
# The server must run with MINDFLOW__STORAGE__MIGRATE_ON_START=false, so that the old program accepts the newer schema.
#
# From the environment (systemd's places are the defaults):
#   MINDFLOW_ROOT   releases/, current and .last-deploy live here                   /opt/mindflow
#   SETTINGS        the server's settings, one NAME=value a line, without quotes  /etc/mindflow/mindflow.env
#   MIGRATE_ENV     more for migrations: the DATABASE_URL of the tables' owner       /etc/mindflow/migrate.env
#   DATA_DIR        the server's data folder, which the unit names                   /var/lib/mindflow
#   RUN_AS          the server's user, when this runs as root                        mindflow
#   RESTART         how the server is started anew                                   systemctl restart mindflow
#   STOP            how it is stopped                                                systemctl stop mindflow
#   BACKUP          how it is backed up beforehand; empty: not at all                systemctl start mindflow-backup
#   WAIT            seconds until it must be ready                                   60
#   KEEP            how many releases are kept                                       5
set -euo pipefail

root=${MINDFLOW_ROOT:-/opt/mindflow}
settings=${SETTINGS:-/etc/mindflow/mindflow.env}
migrate_env=${MIGRATE_ENV:-/etc/mindflow/migrate.env}
data=${DATA_DIR:-/var/lib/mindflow}
run_as=${RUN_AS:-mindflow}
restart=${RESTART:-systemctl restart mindflow}
stop=${STOP:-systemctl stop mindflow}
backup=${BACKUP-systemctl start mindflow-backup}
wait=${WAIT:-60}
keep=${KEEP:-5}
record=$root/.last-deploy

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

fail() {
    say "FAILED: $*"
    exit 1
}

# as_server FILE... -- COMMAND...: runs a command as the server's user, with the settings of these files.
as_server() {
    local files=() user=()
    while [ "$1" != -- ]; do
        [ ! -e "$1" ] || files+=("$1")
        shift
    done
    shift
    if [ "$(id -u)" = 0 ] && id "$run_as" >/dev/null 2>&1; then
        user=(setpriv --reuid "$run_as" --regid "$(id -g "$run_as")" --clear-groups)
    fi
    (
        cd "$root"
        # Root's environment is not the server's.
        clean=("PATH=$PATH" "HOME=$root" "DATA_DIR=$data" "MINDFLOW__STORAGE__MIGRATE_ON_START=false")
        for file in "${files[@]}"; do
            while IFS= read -r line || [ -n "$line" ]; do
                case $line in '' | '#'*) continue ;; esac
                clean+=("$line")
            done <"$file"
        done
        exec env -i "${clean[@]}" "${user[@]}" "$@"
    )
}

# release NAME: its folder.
release() { printf '%s/releases/%s' "$root" "$1"; }

# The release that `current` points to; nothing before the first deployment.
running() {
    local target
    target=$(readlink "$root/current" 2>/dev/null) || return 0
    basename "$target"
}

# schema NAME: the newest migration that the database has, as this release knows them; 0 for an empty database.
schema() {
    local status
    status=$(as_server "$settings" "$migrate_env" -- "$(release "$1")/mindflow" migrate status) || return 1
    awk '$2 == "applied" { newest = $1 + 0 } END { print newest + 0 }' <<<"$status"
}

migrate() {
    local name=$1
    shift
    as_server "$settings" "$migrate_env" -- "$(release "$name")/mindflow" migrate "$@"
}

# point NAME: replaces the link in one step.
point() {
    ln -sfn "releases/$1" "$root/.current.new"
    mv -T "$root/.current.new" "$root/current"
}

# Each in a shell of its own: $restart and $stop are commands with words.
start_anew() { bash -c "$restart"; }

# is_ready NAME: whether the server that runs is ready, and is this release.
is_ready() { as_server "$settings" -- "$(release "$1")/mindflow" health --wait "$wait"; }

# remember RELEASE PREVIOUS BEFORE AFTER: the record of the last deployment, replaced in one step.
remember() {
    printf 'release=%s\nprevious=%s\nschema_before=%s\nschema_after=%s\nat=%s\n' "$1" "$2" "$3" "$4" "$(date -u +%FT%TZ)" \
        >"$record.new"
    mv -T "$record.new" "$record"
}

recorded() { sed -n "s/^$1=//p" "$record" 2>/dev/null; }

# take_back NEW OLD BEFORE: the old program first, then the migrations, by the program that knows them.
take_back() {
    local new=$1 old=$2 before=$3
    say "rolling back to $old: first the program"
    point "$old"
    start_anew || say "the restart of $old failed; going on"
    if ! is_ready "$old"; then
        fail "$old is not ready either. The schema is still that of $new. Look at the log; nothing more is done"
    fi
    if [ "$(schema "$new")" -gt "$before" ]; then
        say "then the schema, back to migration $before, by $new"
        migrate "$new" down --to "$before" || fail "$old runs, but the schema is still that of $new (it works with it)"
        is_ready "$old" || fail "$old is not ready after the schema was taken back. Look at the log"
    fi
    say "$old runs, on its schema"
}

# unpack SOURCE: puts a release into its place, and prints its name.
unpack() {
    local source=$1 draft name
    mkdir -p "$root/releases"
    draft=$(mktemp -d "$root/releases/.draft.XXXXXX")
    if [ -d "$source" ]; then
        cp -R "$source/." "$draft/"
    else
        [ -f "$source" ] || fail "there is no $source"
        if [ -f "$source.sha256" ]; then
            (cd "$(dirname "$source")" && sha256sum --check --quiet "$(basename "$source").sha256") >&2 ||
                fail "$source is not what its .sha256 says"
        fi
        tar --extract --gzip --no-same-owner --file "$source" --directory "$draft"
    fi
    [ -x "$draft/mindflow" ] || fail "$source has no program \`mindflow\`"
    chmod -R u=rwX,go=rX "$draft"
    # Named by what it is, so that the same release is the same folder.
    name=$("$draft/mindflow" --version | awk '{ print $2 }')-$(cd "$draft" && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2 | sha256sum | cut -c 1-12)
    if [ -e "$(release "$name")" ]; then
        rm -rf "$draft"
    else
        mv -T "$draft" "$(release "$name")"
    fi
    printf '%s' "$name"
}

# Forgets the oldest releases, but never the one that runs or the one before.
forget_old() {
    local current previous
    current=$(running)
    previous=$(recorded previous)
    find "$root/releases" -mindepth 1 -maxdepth 1 -type d -name '.draft.*' -exec rm -rf {} +
    find "$root/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2- |
        tail -n "+$((keep + 1))" | while IFS= read -r name; do
        [ "$name" = "$current" ] || [ "$name" = "$previous" ] || rm -rf "$(release "$name")"
    done
}

deploy() {
    local new old before after
    new=$(unpack "$1")
    old=$(running)
    [ "$new" != "$old" ] || fail "$new runs already"
    touch "$(release "$new")"
    before=$(schema "$new") || fail "$new cannot read the database: is it older than the schema? Nothing was changed"
    say "deploying $new over ${old:-nothing}, from schema $before"
    if [ -n "$backup" ] && [ -n "$old" ]; then
        say "backing up"
        bash -c "$backup" || fail "the backup failed; nothing was changed"
    fi
    if ! migrate "$new" up; then
        if [ "$(schema "$new")" -gt "$before" ]; then
            say "taking back the migrations before the one that failed"
            migrate "$new" down --to "$before" || fail "the schema is half way; ${old:-nothing} goes on with it"
        fi
        fail "a migration failed; the schema is as it was, and ${old:-nothing} goes on"
    fi
    after=$(schema "$new")
    point "$new"
    if ! start_anew || ! is_ready "$new"; then
        say "$new is not ready"
        if [ -z "$old" ]; then
            bash -c "$stop" || true
            fail "the first release does not start; look at the log"
        fi
        take_back "$new" "$old" "$before"
        fail "$new was taken back"
    fi
    remember "$new" "$old" "$before" "$after"
    forget_old
    say "$new runs, on schema $after"
}

rollback() {
    local new old before
    new=$(recorded release)
    old=$(recorded previous)
    before=$(recorded schema_before)
    if [ -z "$new" ] || [ -z "$old" ]; then fail "there is no release to go back to"; fi
    [ "$(running)" = "$new" ] || fail "the release that runs is not the one that was deployed last ($new)"
    [ -x "$(release "$old")/mindflow" ] || fail "the release $old is gone"
    if [ -n "$backup" ]; then
        say "backing up"
        bash -c "$backup" || fail "the backup failed; nothing was changed"
    fi
    take_back "$new" "$old" "$before"
    # One step back and no further: what was before that is not known to fit.
    remember "$old" "" "$before" "$before"
}

status() {
    printf 'running=%s\n' "$(running)"
    cat "$record" 2>/dev/null || true
}

mkdir -p "$root"
exec 9>"$root/.deploying"
flock --nonblock 9 || fail "another deployment is under way"
case ${1:-} in
deploy)
    [ $# = 2 ] || fail "usage: release.sh deploy FOLDER_OR_ARCHIVE"
    deploy "$2"
    ;;
rollback) rollback ;;
status) status ;;
*) fail "usage: release.sh deploy FOLDER_OR_ARCHIVE | rollback | status" ;;
esac
